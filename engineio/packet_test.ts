import assert from "node:assert/strict";
import fc from "fast-check";
import { decodePayload, decodeText, encodeForPolling, encodeMessage, SEPARATOR } from "./packet.ts";

const text = fc.string({ unit: "grapheme" }).filter((value) => !value.includes(SEPARATOR));
const bytes = fc.uint8Array().map((value) => new Uint8Array(value));

Deno.test("decoding a payload returns what was encoded", () => {
  fc.assert(fc.property(fc.array(fc.oneof(text, bytes), { minLength: 1 }), (messages) => {
    const payload = messages
      .map((data) => encodeForPolling(typeof data === "string" ? encodeMessage(data) : data))
      .join(SEPARATOR);
    const packets = [...decodePayload(payload)];
    assert.deepEqual(packets, messages.map((data) => ({ type: "message", data })));
  }));
});

Deno.test("decoding any text returns packets, and nothing after an invalid one", () => {
  fc.assert(fc.property(fc.string({ unit: "binary" }), (payload) => {
    const packets = [...decodePayload(payload)];
    assert.ok(packets.length >= 1);
    assert.ok(packets.slice(0, -1).every((packet) => packet !== null));
  }));
});

Deno.test("the cache of encodeMessage() returns the packet of its text", () => {
  assert.equal(encodeMessage("one"), "4one");
  assert.equal(encodeMessage("one"), "4one");
  assert.equal(encodeMessage("two"), "4two");
  assert.equal(encodeMessage(""), "4");
});

Deno.test("packets have a known type", () => {
  assert.deepEqual(decodeText("2probe"), { type: "ping", data: "probe" });
  assert.deepEqual(decodeText("6"), { type: "noop" });
  for (const bad of ["", "7", "/", "a", "\u{1F434}"]) assert.equal(decodeText(bad), null);
});
