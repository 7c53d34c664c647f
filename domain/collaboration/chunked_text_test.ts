import assert from "node:assert/strict";
import fc from "fast-check";
import { applyEdit, lengthOf, type TextEdit } from "../../protocol/text.ts";
import { bytesOf, editChunks, joinChunks, toChunks } from "./chunked_text.ts";

const character = fc.constantFrom("a", "b", "\n", "é", "e\u0301", "😀", "𝒳", "👩‍👧");
const text = (most: number) =>
  fc.tuple(fc.string({ unit: character, maxLength: 8 }), fc.nat(most)).map(([some, times]) =>
    some.repeat(times)
  );
/** The position as a share of the length, and how much is removed there. */
const change = fc.record({
  at: fc.double({ min: 0, max: 1, noNaN: true }),
  removed: fc.oneof(fc.constant(0), fc.nat(5), fc.nat(6000)),
  content: text(800),
});

Deno.test("a chunked text has after every edit the same text as a plain string", () => {
  fc.assert(
    fc.property(text(4000), fc.array(change, { maxLength: 30 }), (start, changes) => {
      let whole = start;
      let chunked = toChunks(start);
      for (const { at, removed, content } of changes) {
        const length = lengthOf(whole);
        const position = Math.floor(at * length);
        const edit: TextEdit = {
          operation: "replace",
          position,
          length: Math.min(removed, length - position),
          content,
        };
        whole = applyEdit(whole, edit);
        chunked = editChunks(chunked, edit);
        assert.equal(joinChunks(chunked), whole);
        assert.equal(chunked.length, lengthOf(whole));
        assert.equal(chunked.bytes, bytesOf(whole));
        for (const chunk of chunked.chunks) {
          assert.equal(chunk.length, lengthOf(chunk.text));
          assert.ok(chunk.text.length > 0 && chunk.text.length <= 2048);
        }
      }
    }),
    { numRuns: 200 },
  );
});

Deno.test("an edit of a long text replaces one chunk and shares the others", () => {
  const before = toChunks("0123456789😀".repeat(50_000));
  const after = editChunks(before, { operation: "insert", position: 275_000, content: "x" });
  const kept = after.chunks.filter((chunk) => before.chunks.includes(chunk));
  assert.equal(kept.length, before.chunks.length - 1);
});

Deno.test("a text that was typed or deleted letter by letter has few chunks", () => {
  let chunked = toChunks("");
  for (let i = 0; i < 5000; i++) {
    chunked = editChunks(chunked, { operation: "insert", position: i, content: "x" });
  }
  assert.ok(chunked.chunks.length <= 5, `${chunked.chunks.length}`);
  for (let i = 0; i < 4990; i++) {
    chunked = editChunks(chunked, { operation: "delete", position: 3, length: 1 });
  }
  assert.deepEqual([chunked.chunks.length, joinChunks(chunked)], [1, "x".repeat(10)]);
});
