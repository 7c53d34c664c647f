import assert from "node:assert/strict";
import type { TestMessage } from "./adapter.ts";
import { type Line, withMessage, withPending, withState, withStored } from "./thread.ts";

const createdAt = "2026-11-20T12:00:00.000Z";

function message(seq: number, over: Partial<TestMessage> = {}): TestMessage {
  const content = `m${seq}`;
  const base = { seq, id: `id-${seq}`, clientMessageId: null, content, userName: "Ada", createdAt };
  return { ...base, from: "agent", ...over };
}
const written = (clientMessageId: string, content: string) =>
  ({ from: "customer", content, createdAt, clientMessageId }) as const;
const shown = (lines: Line[]) => lines.map(({ seq, content }) => [seq, content]);

Deno.test("messages are in the order of the conversation, each once, whatever order they arrive in", () => {
  let lines = withMessage([], message(3), false);
  lines = withMessage(lines, message(1), true);
  const same = withMessage(lines, message(3), true);
  assert.equal(same, lines);
  assert.deepEqual(shown(lines), [[1, "m1"], [3, "m3"]]);
  assert.deepEqual(lines.map(({ missed }) => missed), [true, false]);
});

Deno.test("an own message is one line, whether its acknowledgement or its copy comes first", () => {
  const pending = withPending([], written("a", "Hello"));
  const own = message(1, { from: "customer", content: "Hello", clientMessageId: "a" });
  const answered = withMessage(withStored(pending, "a", 1), own, false);
  const copied = withStored(withMessage(pending, own, false), "a", 1);
  for (const lines of [answered, copied]) {
    assert.deepEqual(shown(lines), [[1, "Hello"]]);
    assert.deepEqual([lines[0]!.key, lines[0]!.state], ["a", "stored"]);
  }
});

Deno.test("without the sender's id the oldest equal message of the same side is meant", () => {
  let lines = withPending(withPending([], written("a", "Hi")), written("b", "Hi"));
  lines = withMessage(lines, message(1, { content: "Hi" }), false);
  assert.deepEqual(shown(lines), [[1, "Hi"], [null, "Hi"], [null, "Hi"]]);
  lines = withMessage(lines, message(2, { content: "Hi", from: "customer" }), false);
  assert.deepEqual(lines.map(({ key, seq }) => [key, seq]), [["seq-1", 1], ["a", 2], ["b", null]]);
});

Deno.test("pending messages are at the end, in the order of writing, and keep their error", () => {
  let lines = withPending(withPending([], written("a", "one")), written("b", "two"));
  lines = withState(lines, "a", "failed", "Too long");
  lines = withMessage(lines, message(9), false);
  assert.deepEqual(shown(lines), [[9, "m9"], [null, "one"], [null, "two"]]);
  assert.deepEqual([lines[1]!.state, lines[1]!.error], ["failed", "Too long"]);
  lines = withState(lines, "a", "sending", null);
  assert.deepEqual([lines[1]!.state, lines[1]!.error], ["sending", null]);
});
