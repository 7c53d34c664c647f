import assert from "node:assert/strict";
import type { PeerCursor } from "../../client/collaboration.ts";
import { type PeerMark, peerMarks } from "./peer_marks.ts";

const peer = (clientId: string, position: number, selectionEnd = position): PeerCursor => ({
  clientId,
  userId: clientId,
  userName: clientId,
  role: "agent",
  position,
  selectionEnd,
});

/** "|ann" is a caret, "[…]ann" a selection. */
const drawn = (marks: PeerMark[]) =>
  marks.map((mark) => {
    if (mark.kind === "caret") return `|${mark.peer.clientId}`;
    return mark.selectedBy === null ? mark.text : `[${mark.text}]${mark.selectedBy.clientId}`;
  }).join("");

Deno.test("a text is split at the others' carets and selections", () => {
  assert.equal(drawn(peerMarks("", [])), "");
  assert.equal(drawn(peerMarks("", [peer("ann", 0)])), "|ann");
  assert.equal(drawn(peerMarks("Hello", [peer("ann", 5), peer("bea", 0)])), "|beaHello|ann");
  // Positions are code points; the caret is at the end of the selection that moved.
  assert.equal(drawn(peerMarks("a👋bc", [peer("ann", 2, 1)])), "a[👋]ann|annbc");
  assert.equal(drawn(peerMarks("a👋bc", [peer("ann", 1, 3)])), "a|ann[👋b]annc");
  // A position after the end of a shortened text becomes its end.
  assert.equal(drawn(peerMarks("ab", [peer("ann", 9, 1)])), "a[b]ann|ann");
  assert.equal(
    drawn(peerMarks("abcd", [peer("ann", 0, 3), peer("bea", 2, 4)])),
    "|ann[ab]ann|bea[c]ann[d]bea",
  );
});
