import assert from "node:assert/strict";
import fc from "fast-check";
import {
  boundaries,
  instantOf,
  localOf,
  offsetAt,
  rangeBefore,
  resolutionFor,
  stretches,
} from "./calendar.ts";

const BERLIN = "Europe/Berlin";
const NEW_YORK = "America/New_York";
const KATHMANDU = "Asia/Kathmandu";
const SAO_PAULO = "America/Sao_Paulo";
const APIA = "Pacific/Apia";
const at = (text: string) => Date.parse(text);
const iso = (instants: number[] | undefined) =>
  instants?.map((instant) => new Date(instant).toISOString().replace(":00.000Z", "Z"));
const HOUR = 3_600_000;

Deno.test("a day has 23, 24 or 25 hours, as the clocks of the zone say", () => {
  assert.deepEqual(
    iso(boundaries(at("2026-10-23T22:00Z"), at("2026-10-26T23:00Z"), "day", BERLIN, 10)),
    ["2026-10-23T22:00Z", "2026-10-24T22:00Z", "2026-10-25T23:00Z", "2026-10-26T23:00Z"],
  );
  assert.deepEqual(
    iso(boundaries(at("2026-03-07T05:00Z"), at("2026-03-10T04:00Z"), "day", NEW_YORK, 10)),
    ["2026-03-07T05:00Z", "2026-03-08T05:00Z", "2026-03-09T04:00Z", "2026-03-10T04:00Z"],
  );
  assert.deepEqual(
    iso(boundaries(at("2026-10-24T18:15Z"), at("2026-10-26T18:15Z"), "day", KATHMANDU, 10)),
    ["2026-10-24T18:15Z", "2026-10-25T18:15Z", "2026-10-26T18:15Z"],
  );
});

Deno.test("hours go on when clocks are set", () => {
  const autumn = boundaries(at("2026-10-24T22:00Z"), at("2026-10-25T23:00Z"), "hour", BERLIN, 99)!;
  assert.equal(autumn.length - 1, 25);
  const spring = boundaries(at("2026-03-28T23:00Z"), at("2026-03-29T22:00Z"), "hour", BERLIN, 99)!;
  assert.equal(spring.length - 1, 23);
  // Two hours of the same name, one after the other.
  const names = autumn.slice(0, -1).map((one) => new Date(localOf(one, BERLIN)).getUTCHours());
  assert.deepEqual(names.slice(0, 5), [0, 1, 2, 2, 3]);
  const nepal = boundaries(at("2026-10-25T01:00Z"), at("2026-10-25T03:00Z"), "hour", KATHMANDU, 9);
  assert.deepEqual(iso(nepal), [
    "2026-10-25T01:00Z",
    "2026-10-25T01:15Z",
    "2026-10-25T02:15Z",
    "2026-10-25T03:00Z",
  ]);
});

Deno.test("weeks begin on Monday and months on the first, and a range may cut them", () => {
  assert.deepEqual(
    iso(boundaries(at("2026-10-14T22:00Z"), at("2026-11-01T23:00Z"), "week", BERLIN, 10)),
    ["2026-10-14T22:00Z", "2026-10-18T22:00Z", "2026-10-25T23:00Z", "2026-11-01T23:00Z"],
  );
  assert.deepEqual(
    iso(boundaries(at("2026-02-01T05:00Z"), at("2026-05-01T04:00Z"), "month", NEW_YORK, 10)),
    ["2026-02-01T05:00Z", "2026-03-01T05:00Z", "2026-04-01T04:00Z", "2026-05-01T04:00Z"],
  );
  assert.equal(boundaries(0, 11 * 86_400_000, "day", "UTC", 10), undefined);
});

Deno.test("the period before is as long by the calendar", () => {
  const week = rangeBefore(at("2026-10-25T23:00Z"), at("2026-11-01T23:00Z"), BERLIN);
  assert.deepEqual(iso([week.from, week.to]), ["2026-10-18T22:00Z", "2026-10-25T23:00Z"]);
  const march = rangeBefore(at("2026-03-01T05:00Z"), at("2026-04-01T04:00Z"), NEW_YORK);
  assert.deepEqual(iso([march.from, march.to]), ["2026-02-01T05:00Z", "2026-03-01T05:00Z"]);
});

Deno.test("a time that clocks skip or show twice", () => {
  // 02:30 on 29 March does not exist in Berlin; on 25 October it is there twice.
  assert.equal(instantOf(at("2026-03-29T02:30Z"), BERLIN), at("2026-03-29T01:00Z"));
  assert.equal(instantOf(at("2026-10-25T02:30Z"), BERLIN), at("2026-10-25T00:30Z"));
  assert.equal(instantOf(at("2026-03-08T02:30Z"), NEW_YORK), at("2026-03-08T07:00Z"));
  assert.equal(instantOf(at("2026-11-01T01:30Z"), NEW_YORK), at("2026-11-01T05:30Z"));
  assert.equal(offsetAt(at("2026-06-01T00:00Z"), KATHMANDU), 5.75 * HOUR);
});

Deno.test("stretches cover a range and each has the offset of all its instants", () => {
  const year = stretches(at("2026-01-01T00:00Z"), at("2027-01-01T00:00Z"), BERLIN);
  assert.deepEqual(year.map(({ from, offset }) => [iso([from])![0], offset / HOUR]), [
    ["2026-01-01T00:00Z", 1],
    ["2026-03-29T01:00Z", 2],
    ["2026-10-25T01:00Z", 1],
  ]);
  assert.equal(year.at(-1)!.to, at("2027-01-01T00:00Z"));
});

Deno.test("intervals of any range: in order, without a gap, each begun where a local one begins", () => {
  const zone = fc.constantFrom(BERLIN, NEW_YORK, KATHMANDU, "UTC", "Australia/Lord_Howe");
  const interval = fc.constantFrom("hour", "day", "week", "month");
  const start = fc.integer({ min: at("2025-01-01T00:00Z") / 60_000, max: 30_000_000 });
  fc.assert(fc.property(
    zone,
    interval,
    start,
    fc.integer({ min: 1, max: 60 * 24 * 40 }),
    (timeZone, unit, minute, minutes) => {
      const from = minute * 60_000;
      const to = from + minutes * 60_000;
      const edges = boundaries(from, to, unit as "hour", timeZone, 5000)!;
      assert.equal(edges[0], from);
      assert.equal(edges.at(-1), to);
      for (const [index, edge] of edges.slice(1).entries()) assert.ok(edge > edges[index]!);
      const longest = { hour: 1.5, day: 25.5, week: 7 * 24 + 1.5, month: 31 * 24 + 1.5 }[unit]!;
      for (const [index, edge] of edges.slice(1).entries()) {
        assert.ok(edge - edges[index]! <= longest * HOUR, `${unit} at ${iso([edges[index]!])}`);
      }
      for (const edge of edges.slice(1, -1)) {
        // The half hour of Lord Howe makes hours of its own; all others begin on the hour.
        const local = new Date(localOf(edge, timeZone));
        if (timeZone !== "Australia/Lord_Howe") assert.equal(local.getUTCMinutes(), 0);
        if (unit !== "hour") assert.equal(local.getUTCHours(), 0);
        if (unit === "week") assert.equal(local.getUTCDay(), 1);
        if (unit === "month") assert.equal(local.getUTCDate(), 1);
      }
    },
  ));
});

Deno.test("the coarsest points that fit", () => {
  assert.equal(resolutionFor([at("2026-10-25T00:00Z"), at("2026-10-26T00:00Z")]), "day");
  assert.equal(resolutionFor([at("2026-10-25T00:00Z"), at("2026-10-25T23:00Z")]), "hour");
  assert.equal(resolutionFor([at("2026-10-24T18:15Z")]), "quarter");
  assert.equal(resolutionFor([at("2026-10-24T18:16Z")]), "minute");
  assert.equal(resolutionFor([at("2026-10-24T18:16:01Z")]), undefined);
});

Deno.test("a day that midnight is missing from begins with the change", () => {
  // São Paulo's clocks jumped from 0:00 to 1:00; Apia had no 30 December 2011 at all.
  const paulo = boundaries(at("2018-11-03T12:00Z"), at("2018-11-05T12:00Z"), "day", SAO_PAULO, 9);
  assert.deepEqual(iso(paulo!.slice(1, -1)), ["2018-11-04T03:00Z", "2018-11-05T02:00Z"]);
  const apia = boundaries(at("2011-12-29T12:00Z"), at("2012-01-01T12:00Z"), "day", APIA, 9);
  assert.deepEqual(iso(apia!.slice(1, -1)), [
    "2011-12-30T10:00Z",
    "2011-12-31T10:00Z",
    "2012-01-01T10:00Z",
  ]);
});
