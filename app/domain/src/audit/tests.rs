//! The canonical text and the chain, by example and for any event.

use proptest::option;
use proptest::prelude::*;
use serde_json::{Map, Value};
use uuid::Uuid;

use super::*;

/// A record that owns what it is made of.
#[derive(Clone, Debug, PartialEq)]
struct Event {
    sequence: i64,
    id: Uuid,
    at: i64,
    actor: Value,
    actor_key: String,
    action: String,
    gateway: Option<String>,
    target: Option<String>,
    operation: Option<Uuid>,
    reason: Option<String>,
    outcome: String,
    note: Option<String>,
    changes: Option<Value>,
    duration_ms: Option<i64>,
    previous: Hash,
}

impl Event {
    /// As one program or another writes JSON.
    fn with<T>(&self, write: fn(&Value) -> String, of: impl FnOnce(&Record<'_>) -> T) -> T {
        let actor = write(&self.actor);
        let changes = self.changes.as_ref().map(write);
        of(&Record {
            sequence: self.sequence,
            id: self.id,
            at: self.at,
            actor: &actor,
            actor_key: &self.actor_key,
            action: &self.action,
            gateway: self.gateway.as_deref(),
            target: self.target.as_deref(),
            operation: self.operation,
            reason: self.reason.as_deref(),
            outcome: &self.outcome,
            note: self.note.as_deref(),
            changes: changes.as_deref(),
            duration_ms: self.duration_ms,
            previous: self.previous,
        })
    }

    fn text(&self) -> String {
        self.with(Value::to_string, |record| {
            let mut out = Vec::new();
            record.encode(&mut out).unwrap();
            String::from_utf8(out).unwrap()
        })
    }

    fn line(&self, hash: &Hash) -> String {
        self.with(Value::to_string, |record| {
            let mut out = Vec::new();
            record.export(hash, &mut out).unwrap();
            String::from_utf8(out).unwrap()
        })
    }

    fn hash(&self) -> Hash {
        Hash::of(self.text().as_bytes())
    }

    /// Reads the canonical text back.
    fn read(text: &str) -> Self {
        let mut members: Map<String, Value> = serde_json::from_str(text).unwrap();
        let mut take = |name: &str| members.remove(name);
        let word = |value: Option<Value>| value.map(|value| value.as_str().unwrap().to_owned());
        let at = word(take("at")).unwrap();
        let event = Self {
            sequence: take("sequence").unwrap().as_i64().unwrap(),
            id: word(take("id")).unwrap().parse().unwrap(),
            at: at.parse::<jiff::Timestamp>().unwrap().as_microsecond(),
            actor: take("actor").unwrap(),
            actor_key: word(take("actor_key")).unwrap(),
            action: word(take("action")).unwrap(),
            gateway: word(take("gateway")),
            target: word(take("target")),
            operation: word(take("operation")).map(|id| id.parse().unwrap()),
            reason: word(take("reason")),
            outcome: word(take("outcome")).unwrap(),
            note: word(take("note")),
            changes: take("changes"),
            duration_ms: take("duration_ms").map(|number| number.as_i64().unwrap()),
            previous: Hash::parse(&word(take("previous")).unwrap()).unwrap(),
        };
        assert!(members.is_empty(), "{members:?}");
        event
    }
}

/// As Postgres writes jsonb: members by the length of their names, white space behind commas and colons.
fn as_postgres(value: &Value) -> String {
    match value {
        Value::Object(members) => {
            let mut members: Vec<_> = members.iter().collect();
            members.sort_by_key(|(name, _)| (name.len(), (*name).clone()));
            let members = members.into_iter().map(|(name, value)| {
                let name = Value::from(name.as_str());
                format!("{name}: {}", as_postgres(value))
            });
            format!("{{{}}}", members.collect::<Vec<_>>().join(", "))
        }
        Value::Array(values) => {
            let values: Vec<_> = values.iter().map(as_postgres).collect();
            format!("[{}]", values.join(", "))
        }
        other => other.to_string(),
    }
}

/// As a third party does it: members by their names.
fn sorted(value: &Value) -> String {
    match value {
        Value::Object(members) => {
            let members: std::collections::BTreeMap<_, _> = members.iter().collect();
            let members = members
                .into_iter()
                .map(|(name, value)| format!("{}:{}", Value::from(name.as_str()), sorted(value)));
            format!("{{{}}}", members.collect::<Vec<_>>().join(","))
        }
        Value::Array(values) => {
            let values: Vec<_> = values.iter().map(sorted).collect();
            format!("[{}]", values.join(","))
        }
        other => other.to_string(),
    }
}

fn json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::hash_map(".{0,4}", inner, 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

/// Years 0 to 9999.
fn micros() -> impl Strategy<Value = i64> {
    -62_167_219_200_000_000_i64..253_402_300_800_000_000
}

prop_compose! {
    fn events()(
        (sequence, id, at, duration_ms) in (any::<i64>(), any::<u128>(), micros(), option::of(any::<i64>())),
        (actor, changes) in (json(), option::of(json())),
        (actor_key, action, outcome) in (".*", "[a-z-]*", "[a-z]*"),
        (gateway, target, reason, note) in (option::of(".*"), option::of(".*"), option::of(".*"), option::of(".*")),
        (operation, previous) in (option::of(any::<u128>()), any::<[u8; 32]>()),
    ) -> Event {
        Event {
            sequence, id: Uuid::from_u128(id), at, actor, actor_key, action, gateway, target,
            operation: operation.map(Uuid::from_u128), reason, outcome, note, changes, duration_ms,
            previous: Hash(previous),
        }
    }
}

/// Each event as the first one but for one field, which is the other one's.
fn crossed(one: &Event, other: &Event) -> [Event; 15] {
    let of = |change: fn(&mut Event, Event)| {
        let mut crossed = one.clone();
        change(&mut crossed, other.clone());
        crossed
    };
    [
        of(|one, other| one.sequence = other.sequence),
        of(|one, other| one.id = other.id),
        of(|one, other| one.at = other.at),
        of(|one, other| one.actor = other.actor),
        of(|one, other| one.actor_key = other.actor_key),
        of(|one, other| one.action = other.action),
        of(|one, other| one.gateway = other.gateway),
        of(|one, other| one.target = other.target),
        of(|one, other| one.operation = other.operation),
        of(|one, other| one.reason = other.reason),
        of(|one, other| one.outcome = other.outcome),
        of(|one, other| one.note = other.note),
        of(|one, other| one.changes = other.changes),
        of(|one, other| one.duration_ms = other.duration_ms),
        of(|one, other| one.previous = other.previous),
    ]
}

proptest! {
    /// Whatever can be read back from its text shares that text with nothing else.
    #[test]
    fn an_event_comes_back_from_its_text(event in events()) {
        prop_assert_eq!(Event::read(&event.text()), event);
    }

    #[test]
    fn however_json_was_written_the_text_is_the_same(event in events()) {
        let text = event.text();
        for write in [as_postgres, |value: &Value| serde_json::to_string_pretty(value).unwrap()] {
            let other = event.with(write, |record| {
                let mut out = Vec::new();
                record.encode(&mut out).map(|()| out)
            });
            prop_assert_eq!(other.unwrap(), text.as_bytes());
        }
    }

    #[test]
    fn another_value_in_any_field_is_another_hash(one in events(), other in events()) {
        for crossed in crossed(&one, &other) {
            prop_assert_eq!(crossed == one, crossed.hash() == one.hash());
        }
    }

    /// So does a third party: read the line, take the hash out, write it sorted and without white space.
    #[test]
    fn a_line_of_an_export_without_its_hash_is_the_text(event in events()) {
        let line = event.line(&event.hash());
        let mut members: Map<String, Value> = serde_json::from_str(&line).unwrap();
        let hash = members.remove("hash").unwrap();
        prop_assert_eq!(sorted(&Value::Object(members)), event.text());
        prop_assert_eq!(hash.as_str().unwrap(), event.hash().to_string());
    }

    #[test]
    fn moments_are_written_as_a_calendar_has_them(at in micros()) {
        let mut out = Vec::new();
        canonical::moment(at, &mut out);
        let wanted = jiff::Timestamp::from_microsecond(at).unwrap();
        let wanted = wanted.strftime("\"%Y-%m-%dT%H:%M:%S.%6fZ\"").to_string();
        prop_assert_eq!(String::from_utf8(out).unwrap(), wanted);
    }
}

#[test]
fn moments_beyond_every_calendar_differ_too() {
    let written = |at| {
        let mut out = Vec::new();
        canonical::moment(at, &mut out);
        String::from_utf8(out).unwrap()
    };
    assert_eq!(written(i64::MAX), i64::MAX.to_string());
    assert_eq!(written(i64::MIN), i64::MIN.to_string());
}

fn event(sequence: i64, previous: Hash) -> Event {
    Event {
        sequence,
        id: Uuid::from_u128(7),
        at: 1_795_000_000_123_456,
        actor: serde_json::json!({"kind": "person", "name": "anna", "address": null}),
        actor_key: "person:1".to_owned(),
        action: "restart".to_owned(),
        gateway: Some("openclaw".to_owned()),
        target: None,
        operation: Some(Uuid::from_u128(9)),
        reason: Some("it hangs\n\"again\"".to_owned()),
        outcome: "requested".to_owned(),
        note: None,
        changes: Some(serde_json::json!([{"what": "role", "before": "viewer", "after": "admin"}])),
        duration_ms: Some(1_500),
        previous,
    }
}

#[test]
fn the_text_of_an_event() {
    insta::assert_snapshot!(event(12, Hash::ZERO).text(), @r#"{"action":"restart","actor":{"address":null,"kind":"person","name":"anna"},"actor_key":"person:1","at":"2026-11-18T11:06:40.123456Z","changes":[{"after":"admin","before":"viewer","what":"role"}],"duration_ms":1500,"gateway":"openclaw","id":"00000000-0000-0000-0000-000000000007","operation":"00000000-0000-0000-0000-000000000009","outcome":"requested","previous":"0000000000000000000000000000000000000000000000000000000000000000","reason":"it hangs\n\"again\"","sequence":12}"#);
}

/// A whole chain.
fn chain(length: i64) -> Vec<(Event, Hash)> {
    let mut chain = Vec::new();
    let mut previous = Hash::ZERO;
    for sequence in 1..=length {
        let event = event(sequence, previous);
        previous = event.hash();
        chain.push((event, previous));
    }
    chain
}

fn head(chain: &[(Event, Hash)]) -> Option<Head> {
    chain.last().map(|(event, hash)| Head {
        sequence: event.sequence,
        hash: *hash,
    })
}

fn checkpoint(chain: &[(Event, Hash)], index: usize) -> Checkpoint {
    Checkpoint {
        sequence: chain[index].0.sequence,
        hash: chain[index].1,
        at: Timestamp::from_millis(1_795_000_000_000),
        key: PublicKey([0; 32]),
        signature: Signature([0; 64]),
    }
}

fn flaws(chain: &[(Event, Hash)], checkpoints: &[Checkpoint], head: Option<Head>) -> Vec<Flaw> {
    let mut verifier = Verifier::new(Head::BEFORE_ALL, checkpoints);
    for (event, hash) in chain {
        event.with(as_postgres, |record| verifier.take(record, *hash));
    }
    let found = verifier.finish(head);
    assert_eq!(found.events, chain.len() as u64);
    found.flaws
}

#[test]
fn a_whole_chain_has_no_flaw() {
    let chain = chain(10);
    let checkpoints = [0, 4, 4, 9].map(|index| checkpoint(&chain, index));
    assert_eq!(flaws(&chain, &checkpoints, head(&chain)), []);
    assert_eq!(
        flaws(
            &[],
            &[],
            Some(Head {
                sequence: 0,
                hash: Hash::ZERO
            })
        ),
        []
    );
}

#[test]
fn each_flaw_is_found_and_named() {
    let whole = chain(10);
    let end = head(&whole);
    let check = |change: fn(&mut Vec<(Event, Hash)>)| {
        let mut chain = whole.clone();
        change(&mut chain);
        flaws(&chain, &[checkpoint(&whole, 4)], end)
    };
    let at = Timestamp::from_millis(1_795_000_000_000);
    assert_eq!(
        check(|chain| chain[6].0.note = Some("nothing".to_owned())),
        [Flaw::Altered { sequence: 7 }]
    );
    let rewritten = check(|chain| {
        chain[6].0.note = Some("nothing".to_owned());
        chain[6].1 = chain[6].0.hash();
    });
    assert_eq!(
        rewritten,
        [Flaw::NotFollowing {
            sequence: 8,
            before: 7
        }]
    );
    let removed = check(|chain| drop(chain.drain(6..8)));
    assert_eq!(removed, [Flaw::Removed { from: 7, to: 8 }]);
    let first = check(|chain| drop(chain.remove(0)));
    assert_eq!(first, [Flaw::Removed { from: 1, to: 1 }]);
    let cut = check(|chain| chain.truncate(7));
    assert_eq!(
        cut,
        [Flaw::Truncated {
            last: 7,
            known: 10,
            checkpoint: None
        }]
    );
    let old = check(|chain| chain.truncate(3));
    assert_eq!(
        old,
        [
            Flaw::Truncated {
                last: 3,
                known: 10,
                checkpoint: None
            },
            Flaw::Truncated {
                last: 3,
                known: 5,
                checkpoint: Some(at)
            },
        ]
    );
    let all_anew = check(|chain| {
        let mut previous = Hash::ZERO;
        for (event, hash) in chain.iter_mut() {
            event.outcome = "denied".to_owned();
            event.previous = previous;
            *hash = event.hash();
            previous = *hash;
        }
    });
    assert_eq!(
        all_anew,
        [
            Flaw::Checkpoint { sequence: 5, at },
            Flaw::Head {
                last: 10,
                sequence: 10
            },
        ]
    );
    let without_head = flaws(&whole, &[], None);
    assert_eq!(
        without_head,
        [Flaw::Head {
            last: 10,
            sequence: 0
        }]
    );
    let swapped = check(|chain| {
        chain.swap(6, 7);
        (chain[6].0.sequence, chain[7].0.sequence) = (7, 8);
    });
    assert!(
        swapped.contains(&Flaw::Altered { sequence: 7 }),
        "{swapped:?}"
    );
    assert!(
        swapped.contains(&Flaw::Altered { sequence: 8 }),
        "{swapped:?}"
    );
}

#[test]
fn a_chain_whose_beginning_is_archived_follows_the_archive() {
    let chain = chain(10);
    let archived = Head {
        sequence: chain[3].0.sequence,
        hash: chain[3].1,
    };
    let checked = |after: Head, from: usize, checkpoints: &[Checkpoint]| {
        let mut verifier = Verifier::new(after, checkpoints);
        for (event, hash) in &chain[from..] {
            event.with(as_postgres, |record| verifier.take(record, *hash));
        }
        let found = verifier.finish(head(&chain));
        assert_eq!(found.after, after.sequence);
        found.flaws
    };
    // Of events that are gone, of the last one that is, and of one that is here.
    let checkpoints = [1, 3, 7].map(|index| checkpoint(&chain, index));
    assert_eq!(checked(archived, 4, &checkpoints), []);
    let missing = chain[4].0.sequence;
    assert_eq!(
        checked(archived, 5, &[]),
        [Flaw::Removed {
            from: missing,
            to: missing
        }]
    );
    let forged = Head {
        hash: Hash([9; 32]),
        ..archived
    };
    assert_eq!(
        checked(forged, 4, &checkpoints),
        [
            Flaw::Checkpoint {
                sequence: archived.sequence,
                at: checkpoints[1].at,
            },
            Flaw::NotFollowing {
                sequence: missing,
                before: archived.sequence,
            }
        ]
    );
}

#[test]
fn what_is_left_of_an_archive_goes_to_its_end_and_all_else_below_was_put_in() {
    let chain = chain(6);
    let archived = Head {
        sequence: 4,
        hash: chain[3].1,
    };
    let checked = |left: &[(Event, Hash)]| {
        let mut verifier = Verifier::new(archived, &[]);
        for (event, hash) in left.iter().chain(&chain[4..]) {
            event.with(as_postgres, |record| verifier.take(record, *hash));
        }
        let found = verifier.finish(head(&chain));
        assert_eq!(found.events, 2);
        found.flaws
    };
    // Dropping was cut short before the third.
    assert_eq!(checked(&chain[2..4]), []);
    assert_eq!(checked(&chain[..4]), []);
    let alone = checked(&chain[1..2]);
    assert_eq!(alone, [Flaw::PutIn { sequence: 2 }]);
    let mut other = chain[3].clone();
    other.0.note = Some("another".to_owned());
    other.1 = other.0.hash();
    assert_eq!(checked(&[other]), [Flaw::PutIn { sequence: 4 }]);
    let below = event(-5, Hash::ZERO);
    let hash = below.hash();
    assert_eq!(
        checked(&[(below, hash)]),
        [Flaw::PutIn { sequence: -5 }],
        "though it follows nothing and has its own hash"
    );
}

#[test]
fn flaws_beyond_the_list_are_counted() {
    let mut chain = chain(100);
    for (event, _) in &mut chain {
        event.note = Some("x".to_owned());
    }
    let mut verifier = Verifier::new(Head::BEFORE_ALL, &[]);
    for (event, hash) in &chain {
        event.with(Value::to_string, |record| verifier.take(record, *hash));
    }
    let found = verifier.finish(head(&chain));
    assert_eq!((found.flaws.len(), found.more), (LISTED, 80));
    let check = Check {
        at: Timestamp::default(),
        took_ms: 1,
        after: 0,
        events: found.events,
        last: found.last.sequence,
        checkpoints: 0,
        flaws: found.flaws,
        more: found.more,
    };
    assert_eq!(
        check.sentence(),
        "The chain is broken. Event 1 was altered: its content does not match its hash. And 99 flaws more."
    );
}

#[test]
fn every_flaw_in_words() {
    let at = Timestamp::from_millis(1_795_000_000_000);
    let archive = |why| Flaw::Archive {
        sequence: 50,
        file: "audit-000000000001-000000000050.jsonl".to_owned(),
        why,
    };
    let sentences: Vec<String> = [
        Flaw::Altered { sequence: 77 },
        Flaw::NotFollowing {
            sequence: 1,
            before: 0,
        },
        Flaw::NotFollowing {
            sequence: 77,
            before: 76,
        },
        Flaw::Removed { from: 5, to: 5 },
        Flaw::Removed { from: 5, to: 9 },
        Flaw::Truncated {
            last: 95,
            known: 100,
            checkpoint: None,
        },
        Flaw::Truncated {
            last: 95,
            known: 100,
            checkpoint: Some(at),
        },
        Flaw::Head {
            last: 95,
            sequence: 90,
        },
        Flaw::Checkpoint { sequence: 50, at },
        Flaw::Signature { sequence: 50, at },
        Flaw::Key { sequence: 50, at },
        Flaw::PutIn { sequence: -5 },
        Flaw::PutIn { sequence: 5 },
        archive(Doubt::Signature),
        archive(Doubt::Key),
        archive(Doubt::Early),
        archive(Doubt::NoEvent),
        Flaw::Line { line: 3 },
    ]
    .iter()
    .map(Flaw::sentence)
    .collect();
    insta::assert_snapshot!(sentences.join("\n"));
}
