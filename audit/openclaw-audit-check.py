#!/usr/bin/env python3
"""Checks OpenClaw Panel's audit trail (JSON Lines): openclaw-audit-check.py [ARCHIVE ...] EXPORT. Needs Python 3 alone.
Exit code 0: whole; 1: not; 2: each event is as it was written, but a filter chose them, so that they are no chain."""
import hashlib, json, sys

ZERO = "0" * 64
wrong, count, number, hashes, known, chosen = [], 0, 0, {}, {}, None
for path in sys.argv[1:]:
    begins, end, gaps = count == 0, {}, []
    for line in open(path, encoding="utf-8"):
        event = json.loads(line)
        if "checkpoint" in event:
            end = event
            continue
        before, number, stored = number, event["sequence"], event.pop("hash")
        text = json.dumps(event, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        if hashlib.sha256(text.encode()).hexdigest() != stored:
            wrong.append(f"event {number} was altered: its content does not match its hash")
        if number < 1:
            wrong.append(f"event {number} was put in: numbers begin with 1")
        if count == 0:
            first = event["previous"]
        elif event["previous"] != hashes[before] and len(gaps) < 100:
            gaps.append(f"event {number} does not follow event {before}")
        count, hashes[number] = count + 1, stored
        hashes.pop(number - 100_000, None)
    known, after = end.get("checkpoint", {"sequence": "?", "hash": "", "at": "?"}), end.get("after", {})
    if "filter" in end:
        chosen = end["filter"]
        continue
    wrong += gaps
    if begins and count and first != ZERO and "from" not in end and after.get("hash") != first:
        wrong.append("the beginning is missing")
    if "to" not in end and hashes.get(known["sequence"]) != known["hash"]:
        wrong.append(f"the end was cut off or written anew: it does not fit the checkpoint of event {known['sequence']}")
if not wrong and chosen is not None:
    print(f"{count} events, each as it was written. A filter chose them ({chosen}): what it left out cannot be told")
    sys.exit(2)
print("\n".join(wrong) or f"whole: {count} events, the last one is {number}, checkpoint of {known['at']}")
sys.exit(1 if wrong else 0)
