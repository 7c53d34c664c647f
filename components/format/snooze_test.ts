import assert from "node:assert/strict";
import { localInput, snoozeChoices } from "./snooze.ts";

const labels = (now: Date) =>
  snoozeChoices(now).map(({ label, until }) => [label, until === null ? null : localInput(until)]);

Deno.test("a snooze ends later today, tomorrow morning, on Monday or with a reply", () => {
  // A Friday.
  assert.deepEqual(labels(new Date(2026, 10, 27, 14, 25)), [
    ["Later today", "2026-11-27T17:00"],
    ["Tomorrow", "2026-11-28T09:00"],
    ["Next week", "2026-11-30T09:00"],
    ["Next reply", null],
  ]);
});

Deno.test("in the evening nothing is later today, and next week is never today", () => {
  // A Monday, then a Sunday.
  assert.deepEqual(labels(new Date(2026, 10, 30, 22, 5)), [
    ["Tomorrow", "2026-12-01T09:00"],
    ["Next week", "2026-12-07T09:00"],
    ["Next reply", null],
  ]);
  assert.equal(labels(new Date(2026, 10, 29, 8))[2]![1], "2026-11-30T09:00");
});

Deno.test("tomorrow morning is nine o'clock after a change of the clocks, too", () => {
  for (const now of [new Date(2026, 2, 28, 12), new Date(2026, 9, 24, 12)]) {
    assert.match(labels(now)[1]![1]!, /T09:00$/);
  }
});
