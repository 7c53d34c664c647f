/**
 * Which lines of a thread are drawn: those in view and a margin around them. Positions are counted
 * from the end of the thread, because it is laid out from there.
 */
import type { BubbleLine, ThreadLine } from "./thread_rows.ts";

/** Up to this number of lines all are drawn. */
export const ALL_UP_TO = 50;
/** Pixels that are drawn above and below what is in view. */
const MARGIN = 700;
/** Pixels of a line of text, and characters in it, for lines that were never drawn. */
const TEXT_LINE = 20;
const CHARACTERS = 80;

/** First and last line that are drawn; the last is not included. */
export interface Range {
  first: number;
  last: number;
}

/** By message, because lines are made anew. */
const estimates = new WeakMap<object, number>();

/** What a line is likely to take until it is drawn. */
function estimate(line: ThreadLine): number {
  if (line.kind !== "bubble") return line.kind === "activity" ? 32 : 56;
  const of = line.item.message ?? line.item.pending!;
  const known = estimates.get(of) ?? estimateBubble(line);
  estimates.set(of, known);
  return known;
}

function estimateBubble({ content, item, startsGroup, endsGroup }: BubbleLine): number {
  const text = content === "" ? 0 : TEXT_LINE * content.split("\n").reduce(
    (sum, part) => sum + Math.max(1, Math.ceil(part.length / CHARACTERS)),
    0,
  );
  const files = 120 * ((item.message ?? item.pending)?.files?.length ?? 0);
  return 20 + text + files + (startsGroup ? 30 : 0) + (endsGroup ? 22 : 0);
}

/** For each line the distance of its upper edge from the end of the last; one more for the end: 0. */
export function edges(lines: readonly ThreadLine[], heights: ReadonlyMap<string, number>) {
  const all = new Float64Array(lines.length + 1);
  for (let i = lines.length - 1; i >= 0; i--) {
    const line = lines[i]!;
    all[i] = all[i + 1]! + (heights.get(line.key) ?? estimate(line));
  }
  return all;
}

/**
 * The lines between two distances from the end, and a margin.
 *
 * @param all see `edges`
 */
export function rangeBetween(
  all: Float64Array,
  upper: number,
  lower: number,
  margin = MARGIN,
): Range {
  const count = all.length - 1;
  if (count <= ALL_UP_TO) return { first: 0, last: count };
  return {
    first: Math.min(lastAtLeast(all, upper + margin), count - 1),
    last: Math.min(lastAtLeast(all, Math.max(0, lower - margin)) + 1, count),
  };
}

/** The last line whose upper edge is at least this far from the end; 0 if there is none. */
export function lastAtLeast(all: Float64Array, distance: number): number {
  let low = 0, high = all.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (all[middle]! >= distance) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** A line, or the space of lines that are not drawn. */
export type Drawn = { line: ThreadLine; index: number } | { space: number; key: string };

/** What is drawn: a range, single lines outside of it, and spaces for everything else. */
export function drawn(
  lines: readonly ThreadLine[],
  all: Float64Array,
  { first, last }: Range,
  kept: readonly number[],
): Drawn[] {
  const single = kept.filter((index) => index >= 0 && (index < first || index >= last));
  const wanted = [...new Set(single)].sort((a, b) => a - b);
  const parts: Range[] = [
    ...wanted.filter((index) => index < first).map((index) => ({ first: index, last: index + 1 })),
    { first, last },
    ...wanted.filter((index) => index >= last).map((index) => ({ first: index, last: index + 1 })),
  ];
  const found: Drawn[] = [];
  let at = 0;
  const space = (to: number) => {
    const size = all[at]! - all[to]!;
    if (to > at) found.push({ space: size, key: `space-${found.length === 0 ? "top" : at}` });
  };
  for (const part of parts) {
    space(part.first);
    for (let index = part.first; index < part.last; index++) {
      found.push({ line: lines[index]!, index });
    }
    at = part.last;
  }
  space(lines.length);
  return found;
}
