import assert from "node:assert/strict";
import type { SeriesResponse } from "../../protocol/analytics.ts";
import { BYTE_ORDER_MARK, toCsv } from "./csv.ts";

const series = (interval: SeriesResponse["interval"], ends: string[]): SeriesResponse => ({
  metric: "messages_in",
  unit: "count",
  timeZone: "Europe/Berlin",
  interval,
  total: 1,
  buckets: ends.slice(1).map((end, i) => ({ start: ends[i]!, end, value: i })),
  previous: null,
  parts: [],
});
const linesOf = (csv: string) => {
  assert.ok(csv.startsWith(BYTE_ORDER_MARK));
  return csv.slice(1).trimEnd().split("\r\n");
};

Deno.test("days are those of the zone, which the header names, also when the clocks change", () => {
  const days = ["2026-10-23T22:00:00Z", "2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z"];
  assert.deepEqual(linesOf(toCsv(series("day", days))), [
    'start (Europe/Berlin),"end (exclusive, Europe/Berlin)",messages_in',
    "2026-10-24,2026-10-25,0",
    "2026-10-25,2026-10-26,1",
  ]);
  // A part of a day has its times.
  const part = ["2026-03-28T23:00:00Z", "2026-03-29T10:30:00Z"];
  assert.equal(linesOf(toCsv(series("day", part)))[1], "2026-03-29,2026-03-29 12:30,0");
});

Deno.test("the hour that happens twice is two lines that differ", () => {
  const hours = ["2026-10-24T23:00:00Z", "2026-10-25T00:00:00Z", "2026-10-25T01:00:00Z"];
  assert.deepEqual(linesOf(toCsv(series("hour", hours))).slice(1), [
    "2026-10-25 01:00,2026-10-25 02:00,UTC+02:00,0",
    "2026-10-25 02:00,2026-10-25 02:00,UTC+02:00,1",
  ]);
});
