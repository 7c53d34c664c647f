import type { PeerCursor } from "../../client/collaboration.ts";
import { toIndex } from "../../protocol/text_positions.ts";

/** A piece of text with the person who selected it, or a caret between two pieces. */
export type PeerMark =
  | { kind: "text"; text: string; selectedBy: PeerCursor | null }
  | { kind: "caret"; peer: PeerCursor };

/** Splits a text at the others' carets and selections. */
export function peerMarks(text: string, cursors: readonly PeerCursor[]): PeerMark[] {
  const peers = cursors.map((peer) => {
    const at = toIndex(text, peer.position);
    const other = toIndex(text, peer.selectionEnd);
    return { peer, at, start: Math.min(at, other), end: Math.max(at, other) };
  });
  const cuts = [...new Set([0, text.length, ...peers.flatMap(({ start, end }) => [start, end])])]
    .sort((a, b) => a - b);
  const marks: PeerMark[] = [];
  for (const [i, from] of cuts.entries()) {
    for (const { peer, at } of peers) if (at === from) marks.push({ kind: "caret", peer });
    const to = cuts[i + 1];
    if (to === undefined) break;
    const selected = peers.find(({ start, end }) => start <= from && end >= to);
    marks.push({ kind: "text", text: text.slice(from, to), selectedBy: selected?.peer ?? null });
  }
  return marks;
}
