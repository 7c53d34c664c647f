import assert from "node:assert/strict";
import { laterChoices, toLocalInput, whenWords } from "./times.ts";

Deno.test("later is in an hour, tomorrow morning, or on Monday", () => {
  const of = (now: Date) =>
    laterChoices(now).map(({ label, at }) => `${label} ${toLocalInput(at)}`);
  // A Friday, and a Sunday.
  assert.deepEqual(of(new Date(2026, 10, 27, 15, 30)), [
    "In an hour 2026-11-27T16:30",
    "Tomorrow 2026-11-28T09:00",
    "Monday 2026-11-30T09:00",
  ]);
  assert.deepEqual(of(new Date(2026, 10, 29, 8, 5)), [
    "In an hour 2026-11-29T09:05",
    "Tomorrow 2026-11-30T09:00",
  ]);
  // On a Monday it is the next one.
  assert.equal(of(new Date(2026, 10, 30, 8, 0))[2], "Monday 2026-12-07T09:00");
});

Deno.test("when it is sent is said in words for today and tomorrow", () => {
  const clock = { now: Date.parse("2026-11-30T12:00:00Z"), zone: "UTC", locale: "en-GB" };
  assert.equal(whenWords("2026-11-30T14:05:00Z", clock), "today, 14:05");
  assert.equal(whenWords("2026-12-01T09:00:00Z", clock), "tomorrow, 9:00");
  assert.match(whenWords("2026-12-02T09:00:00Z", clock), /^2 Dec 2026, 0?9:00$/);
});
