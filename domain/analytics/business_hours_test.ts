import assert from "node:assert/strict";
import { BusinessHours } from "../../protocol/analytics.ts";
import { openSeconds } from "./business_hours.ts";

const nine = [{ from: "09:00", to: "17:00" }];
const week = (timeZone: string): BusinessHours => ({
  timeZone,
  days: [nine, nine, nine, nine, nine, [], []],
});
const hours = (from: string, to: string, business: BusinessHours) =>
  openSeconds(Date.parse(from), Date.parse(to), business) / 3600;

Deno.test("only what lies within the hours counts, in the zone of the workspace", () => {
  const berlin = week("Europe/Berlin");
  // Friday 16:30 to Monday 09:10, over the night in which clocks were set back.
  const wait = hours("2026-10-23T14:30Z", "2026-10-26T08:10Z", berlin);
  assert.ok(Math.abs(wait - 40 / 60) < 1e-9);
  // A whole week is 40 hours, whatever the clocks do.
  assert.equal(hours("2026-10-18T22:00Z", "2026-10-25T23:00Z", berlin), 40);
  assert.equal(hours("2026-03-22T23:00Z", "2026-03-29T22:00Z", berlin), 40);
  assert.equal(hours("2026-03-08T05:00Z", "2026-03-15T04:00Z", week("America/New_York")), 40);
  assert.equal(hours("2026-11-16T03:15Z", "2026-11-16T11:15Z", week("Asia/Kathmandu")), 8);
  // At night, on a Sunday, and the wrong way round.
  assert.equal(hours("2026-11-16T20:00Z", "2026-11-17T05:00Z", berlin), 0);
  assert.equal(hours("2026-11-15T09:00Z", "2026-11-15T15:00Z", berlin), 0);
  assert.equal(hours("2026-11-16T10:00Z", "2026-11-16T09:00Z", berlin), 0);
});

Deno.test("without hours all time counts, and a day may end at midnight", () => {
  assert.equal(hours("2026-10-24T22:00Z", "2026-10-25T23:00Z", null), 25);
  const always = Array.from({ length: 7 }, () => [{ from: "00:00", to: "24:00" }]);
  const business = { timeZone: "Europe/Berlin", days: always };
  assert.equal(hours("2026-10-24T22:00Z", "2026-10-25T23:00Z", business), 25);
});

Deno.test("time after midnight counts where clocks are then set back to the day before", () => {
  const always = Array.from({ length: 7 }, () => [{ from: "00:00", to: "24:00" }]);
  const business = { timeZone: "America/St_Johns", days: always };
  // At one minute past midnight of 7 November 2010 it was 23:01 of the 6th again.
  assert.equal(hours("2010-11-07T00:00Z", "2010-11-07T03:00Z", business), 3);
  // A Saturday's hours end with its first midnight.
  const saturday = [[], [], [], [], [], always[0]!, []];
  assert.equal(
    hours("2010-11-07T00:00Z", "2010-11-07T03:00Z", { ...business, days: saturday }),
    2.5,
  );
});

Deno.test("a day may be open several times, and the pause does not count", () => {
  const day = [{ from: "08:00", to: "12:00" }, { from: "13:30", to: "18:00" }];
  const business = { timeZone: "UTC", days: [day, [], [], [], [], [], []] };
  assert.equal(hours("2026-11-16T00:00Z", "2026-11-17T00:00Z", business), 8.5);
  assert.equal(hours("2026-11-16T11:00Z", "2026-11-16T14:00Z", business), 1.5);
  assert.equal(hours("2026-11-16T12:00Z", "2026-11-16T13:30Z", business), 0);
});

Deno.test("hours are put in order, and those that make no sense are refused where they do not", () => {
  const late = { from: "14:00", to: "18:00" };
  const early = { from: "08:00", to: "12:00" };
  const week = (...days: unknown[]) => ({
    timeZone: "UTC",
    days: [...days, ...Array(7 - days.length).fill(null)],
  });
  const parsed = BusinessHours.parse(week([late, early], late));
  assert.deepEqual(parsed?.days, [[early, late], [late], [], [], [], [], []]);
  const places = (value: unknown) =>
    BusinessHours.safeParse(value).error?.issues.map(({ path }) => path.join("."));
  assert.deepEqual(places(week([late, { from: "08:00", to: "14:30" }])), ["days.0.0.from"]);
  assert.deepEqual(places(week([], [{ from: "12:00", to: "12:00" }])), ["days.1.0.to"]);
  assert.deepEqual(places(week([{ from: "9:00", to: "25:00" }])), [
    "days.0.0.from",
    "days.0.0.to",
  ]);
  assert.deepEqual(places(week(Array(7).fill(late))), ["days.0"]);
  assert.deepEqual(places(week()), ["days"]);
});
