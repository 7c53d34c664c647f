import assert from "node:assert/strict";
import type { ThreadLine } from "./thread_rows.ts";
import { drawn, edges, rangeBetween } from "./thread_window.ts";

const LINES = Array.from({ length: 1000 }, (_, n): ThreadLine => ({
  kind: "day",
  key: String(n),
  iso: "",
}));
const HEIGHTS = new Map(LINES.map(({ key }) => [key, 20]));
const ALL = edges(LINES, HEIGHTS);

Deno.test("only lines in view and around them are drawn, and spaces stand for the others", () => {
  // The box shows what is 4,000 to 4,400 pixels from the end.
  assert.deepEqual(rangeBetween(ALL, 4_400, 4_000, 100), { first: 775, last: 806 });
  assert.deepEqual(rangeBetween(ALL, 400, 0, 0), { first: 980, last: 1000 });
  assert.deepEqual(rangeBetween(ALL, 90_000, 80_000, 0), { first: 0, last: 1 });
  const parts = drawn(LINES, ALL, { first: 775, last: 805 }, [10, 800, 999]);
  const sizes = parts.flatMap((part) => "space" in part ? [part.space] : []);
  assert.deepEqual(sizes, [10 * 20, (775 - 11) * 20, (999 - 805) * 20]);
  assert.equal(sizes.reduce((sum, size) => sum + size, 0) + (parts.length - 3) * 20, 1000 * 20);
  assert.equal(new Set(parts.map((part) => "space" in part ? part.key : part.line.key)).size, 35);
});

Deno.test("a short thread is drawn as a whole", () => {
  const all = edges(LINES.slice(0, 40), HEIGHTS);
  assert.deepEqual(rangeBetween(all, 200, 0, 0), { first: 0, last: 40 });
  assert.deepEqual(drawn([], edges([], HEIGHTS), rangeBetween(edges([], HEIGHTS), 100, 0), []), []);
});
