/**
 * A text in pieces, so that an edit of a long one costs what an edit of a short one does: only the
 * piece that it lies in is read and made anew. Nothing is ever changed; texts share their pieces.
 */
import { insertedBy, lengthOf, rangeOf, removedBy, type TextEdit } from "../../protocol/text.ts";

export interface Pieces {
  readonly list: readonly Piece[];
  /** Of all of it in code points, and of its UTF-8 in bytes. */
  readonly length: number;
  readonly bytes: number;
}

interface Piece {
  readonly text: string;
  /** In code points. */
  readonly length: number;
}

/** In UTF-16 code units: a longer piece is cut, a shorter one joined to the next when it is edited. */
const MOST = 2048;
const LEAST = 512;

const encoder = new TextEncoder();
export const bytesOf = (text: string): number => encoder.encode(text).length;

export function piecesOf(text: string): Pieces {
  return { list: cut(text), length: lengthOf(text), bytes: bytesOf(text) };
}

export const joined = ({ list }: Pieces): string => list.map(({ text }) => text).join("");

/** The text after an edit, which has to lie in it. */
export function edited({ list, length, bytes }: Pieces, edit: TextEdit): Pieces {
  let first = 0;
  let start = 0;
  while (first < list.length - 1 && start + list[first]!.length < edit.position) {
    start += list[first++]!.length;
  }
  const needed = edit.position + removedBy(edit);
  let next = first;
  let around = "";
  for (let end = start; next < list.length; next++) {
    if (next > first && end >= needed && around.length >= LEAST) break;
    around += list[next]!.text;
    end += list[next]!.length;
  }
  const content = insertedBy(edit);
  const range = rangeOf(around, { ...edit, position: edit.position - start });
  const made = cut(around.slice(0, range.start) + content + around.slice(range.end));
  return {
    list: list.toSpliced(first, next - first, ...made),
    length: length + lengthOf(content) - removedBy(edit),
    bytes: bytes + bytesOf(content) - bytesOf(around.slice(range.start, range.end)),
  };
}

/** Pieces of half of what one may have, so that the next edits do not cut them again. */
function cut(text: string): Piece[] {
  const pieces: Piece[] = [];
  for (let start = 0, end = 0; start < text.length; start = end) {
    end = text.length - start <= MOST ? text.length : start + MOST / 2;
    // Not through the middle of a pair.
    if (end < text.length && (text.charCodeAt(end) & 0xfc00) === 0xdc00) end++;
    const piece = text.slice(start, end);
    pieces.push({ text: piece, length: lengthOf(piece) });
  }
  return pieces;
}
