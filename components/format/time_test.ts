import assert from "node:assert/strict";
import {
  type Clock,
  dayKey,
  dayTitle,
  englishLocale,
  isZone,
  shortAge,
  timeOfDay,
  waitedFor,
  waitWords,
} from "./time.ts";

const clock: Clock = {
  now: Date.parse("2026-11-20T12:00:00Z"),
  zone: "Europe/Berlin",
  locale: "en-GB",
};
const before = (ms: number) => new Date(clock.now - ms).toISOString();
const MIN = 60_000, HOUR = 60 * MIN, DAY = 24 * HOUR;

Deno.test("short ages grow from now to a date with its year", () => {
  assert.equal(shortAge(before(-5_000), clock), "now");
  assert.equal(shortAge(before(59_000), clock), "now");
  assert.equal(shortAge(before(4 * MIN), clock), "4m");
  assert.equal(shortAge(before(3 * HOUR), clock), "3h");
  assert.equal(shortAge(before(2 * DAY), clock), "Wed");
  assert.equal(shortAge(before(8 * DAY), clock), "12 Nov");
  assert.equal(shortAge("2025-11-12T08:00:00Z", clock), "12 Nov 2025");
});

Deno.test("days are those of the reader's zone", () => {
  assert.equal(dayKey("2026-11-19T23:30:00Z", clock), "2026-11-20");
  assert.equal(dayTitle("2026-11-19T23:30:00Z", clock), "Today");
  assert.equal(dayTitle("2026-11-19T12:00:00Z", clock), "Yesterday");
  assert.equal(dayTitle("2026-11-17T12:00:00Z", clock), "Tuesday");
  assert.match(dayTitle("2026-11-02T12:00:00Z", clock), /^Monday,? 2 November$/);
  assert.match(dayTitle("2025-11-02T12:00:00Z", clock), /^Sunday,? 2 November 2025$/);
});

Deno.test("yesterday is the day before by the calendar, also when a day has 23 or 25 hours", () => {
  const at = (now: string) => ({ ...clock, now: Date.parse(now) });
  // In Berlin: now, a time, and what its day is called.
  const cases: [string, string, string][] = [
    ["2026-03-28T12:00:00+01:00", "2026-03-27T12:00:00+01:00", "Yesterday"],
    ["2026-03-29T00:30:00+01:00", "2026-03-28T00:10:00+01:00", "Yesterday"],
    ["2026-03-30T00:30:00+02:00", "2026-03-29T12:00:00+02:00", "Yesterday"],
    ["2026-03-30T00:30:00+02:00", "2026-03-28T23:45:00+01:00", "Saturday"],
    ["2026-10-25T23:30:00+01:00", "2026-10-25T00:10:00+02:00", "Today"],
    ["2026-10-25T23:30:00+01:00", "2026-10-24T23:50:00+02:00", "Yesterday"],
    ["2026-10-26T00:10:00+01:00", "2026-10-25T00:10:00+02:00", "Yesterday"],
    ["2026-10-26T23:50:00+01:00", "2026-10-24T23:50:00+02:00", "Saturday"],
    ["2026-11-20T00:10:00+01:00", "2026-11-14T23:50:00+01:00", "Saturday"],
  ];
  for (const [now, time, title] of cases) {
    assert.equal(dayTitle(time, at(now)), title, `${time} at ${now}`);
  }
  assert.match(
    dayTitle("2026-11-13T23:50:00+01:00", at("2026-11-20T00:10:00+01:00")),
    /^Friday,? 13/,
  );
  assert.match(dayTitle("2026-11-21T00:10:00Z", clock), /^Saturday,? 21 November$/);
  // The same weekday as today would say the wrong day.
  assert.equal(shortAge("2026-11-13T23:50:00+01:00", at("2026-11-20T00:10:00+01:00")), "13 Nov");
  assert.equal(shortAge("2026-11-14T00:10:00+01:00", at("2026-11-20T23:50:00+01:00")), "Sat");
});

Deno.test("hours follow the English of the reader", () => {
  assert.equal(timeOfDay("2026-11-20T13:05:00Z", clock), "14:05");
  const american = { ...clock, locale: englishLocale("en-us,en;q=0.9") };
  assert.match(timeOfDay("2026-11-20T13:05:00Z", american), /^2:05\sPM$/);
  assert.equal(englishLocale("de-DE,de;q=0.9,en;q=0.8"), "en-GB");
  assert.equal(englishLocale(null), "en-GB");
});

Deno.test("waits use the largest unit that fits", () => {
  assert.equal(waitedFor(before(10_000), clock), "<1 min");
  assert.equal(waitedFor(before(61 * MIN), clock), "1 h");
  assert.equal(waitWords(1), "1 second");
  assert.equal(waitWords(61_000), "61 seconds");
  assert.equal(waitWords(100_000), "2 minutes");
});

Deno.test("unknown zones are refused", () => {
  assert.equal(isZone("Europe/Berlin"), true);
  assert.equal(isZone("Nowhere/Land"), false);
});
