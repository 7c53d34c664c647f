import assert from "node:assert/strict";
import fc from "fast-check";
import { applyEdit, lengthOf, type TextEdit } from "../../protocol/text.ts";
import { bytesOf, edited, joined, piecesOf } from "./pieces.ts";

const character = fc.constantFrom("a", "b", "\n", "é", "e\u0301", "😀", "𝒳", "👩‍👧");
const text = (most: number) =>
  fc.tuple(fc.string({ unit: character, maxLength: 8 }), fc.nat(most)).map(([some, times]) =>
    some.repeat(times)
  );
/** Where, in parts of the text, and how much of what follows goes. */
const change = fc.record({
  at: fc.double({ min: 0, max: 1, noNaN: true }),
  goes: fc.oneof(fc.constant(0), fc.nat(5), fc.nat(6000)),
  content: text(800),
});

Deno.test("a text in pieces is after every edit the text as a whole", () => {
  fc.assert(
    fc.property(text(4000), fc.array(change, { maxLength: 30 }), (start, changes) => {
      let whole = start;
      let pieces = piecesOf(start);
      for (const { at, goes, content } of changes) {
        const length = lengthOf(whole);
        const position = Math.floor(at * length);
        const edit: TextEdit = {
          operation: "replace",
          position,
          length: Math.min(goes, length - position),
          content,
        };
        whole = applyEdit(whole, edit);
        pieces = edited(pieces, edit);
        assert.equal(joined(pieces), whole);
        assert.equal(pieces.length, lengthOf(whole));
        assert.equal(pieces.bytes, bytesOf(whole));
        for (const piece of pieces.list) {
          assert.equal(piece.length, lengthOf(piece.text));
          assert.ok(piece.text.length > 0 && piece.text.length <= 2048);
        }
      }
    }),
    { numRuns: 200 },
  );
});

Deno.test("an edit of a long text makes one piece anew, and shares the others", () => {
  const before = piecesOf("0123456789😀".repeat(50_000));
  const after = edited(before, { operation: "insert", position: 275_000, content: "x" });
  const kept = after.list.filter((piece) => before.list.includes(piece));
  assert.equal(kept.length, before.list.length - 1);
});

Deno.test("a text that was typed or deleted letter by letter is in few pieces", () => {
  let pieces = piecesOf("");
  for (let i = 0; i < 5000; i++) {
    pieces = edited(pieces, { operation: "insert", position: i, content: "x" });
  }
  assert.ok(pieces.list.length <= 5, `${pieces.list.length}`);
  for (let i = 0; i < 4990; i++) {
    pieces = edited(pieces, { operation: "delete", position: 3, length: 1 });
  }
  assert.deepEqual([pieces.list.length, joined(pieces)], [1, "x".repeat(10)]);
});
