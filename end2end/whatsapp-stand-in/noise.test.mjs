import assert from "node:assert/strict";
import { test } from "node:test";
import { framed, frames, open, seal } from "./noise.mjs";

test("frames come out whole, however they arrive", () => {
  const sent = [Buffer.from("one"), Buffer.alloc(70_000, 7), Buffer.alloc(0)];
  const stream = Buffer.concat(sent.map(framed));
  for (const size of [1, 5, 4_096, stream.length]) {
    const got = [];
    let rest = Buffer.alloc(0);
    for (let at = 0; at < stream.length; at += size) {
      const taken = frames(Buffer.concat([rest, stream.subarray(at, at + size)]));
      got.push(...taken.whole);
      rest = taken.rest;
    }
    assert.deepEqual(got, sent);
    assert.equal(rest.length, 0);
  }
});

test("what is sealed opens with the same key, count and binding, and with no other", () => {
  const key = Buffer.alloc(32, 1);
  const bound = Buffer.from("hash");
  const sealed = seal(key, 3, Buffer.from("secret"), bound);
  assert.equal(open(key, 3, sealed, bound).toString(), "secret");
  assert.throws(() => open(key, 4, sealed, bound));
  assert.throws(() => open(key, 3, sealed, Buffer.from("other")));
});
