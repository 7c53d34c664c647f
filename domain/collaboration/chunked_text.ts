/**
 * A long text as a list of chunks, so that an edit costs as little as in a short text: only the chunks
 * that it touches are read and replaced. Values are immutable, and texts share their chunks.
 */
import { insertedBy, lengthOf, rangeOf, removedBy, type TextEdit } from "../../protocol/text.ts";

export interface ChunkedText {
  readonly chunks: readonly Chunk[];
  /** Of the whole text in code points, and of its UTF-8 in bytes. */
  readonly length: number;
  readonly bytes: number;
}

interface Chunk {
  readonly text: string;
  /** In code points. */
  readonly length: number;
}

/** In UTF-16 code units: a longer chunk is split, a shorter one joined to the next by an edit. */
const MOST = 2048;
const LEAST = 512;

const encoder = new TextEncoder();
export const bytesOf = (text: string): number => encoder.encode(text).length;

export function toChunks(text: string): ChunkedText {
  return { chunks: split(text), length: lengthOf(text), bytes: bytesOf(text) };
}

export const joinChunks = ({ chunks }: ChunkedText): string =>
  chunks.map(({ text }) => text).join("");

/** The text after an edit, which has to be within the text. */
export function editChunks({ chunks, length, bytes }: ChunkedText, edit: TextEdit): ChunkedText {
  let first = 0;
  let start = 0;
  while (first < chunks.length - 1 && start + chunks[first]!.length < edit.position) {
    start += chunks[first++]!.length;
  }
  const needed = edit.position + removedBy(edit);
  let next = first;
  let around = "";
  for (let end = start; next < chunks.length; next++) {
    if (next > first && end >= needed && around.length >= LEAST) break;
    around += chunks[next]!.text;
    end += chunks[next]!.length;
  }
  const content = insertedBy(edit);
  const range = rangeOf(around, { ...edit, position: edit.position - start });
  const made = split(around.slice(0, range.start) + content + around.slice(range.end));
  return {
    chunks: chunks.toSpliced(first, next - first, ...made),
    length: length + lengthOf(content) - removedBy(edit),
    bytes: bytes + bytesOf(content) - bytesOf(around.slice(range.start, range.end)),
  };
}

/** Chunks of half the largest size, so that the next edits do not split them again. */
function split(text: string): Chunk[] {
  const chunks: Chunk[] = [];
  for (let start = 0, end = 0; start < text.length; start = end) {
    end = text.length - start <= MOST ? text.length : start + MOST / 2;
    // Not between the halves of a surrogate pair.
    if (end < text.length && (text.charCodeAt(end) & 0xfc00) === 0xdc00) end++;
    const chunk = text.slice(start, end);
    chunks.push({ text: chunk, length: lengthOf(chunk) });
  }
  return chunks;
}
