import assert from "node:assert/strict";
import { daysOf, intervalOf, lengthOf, momentsOf, queryOf, troubleWith, viewOf } from "./view.ts";

const NOW = new Date(2026, 10, 21, 15, 4).getTime();
const view = (query: string) => viewOf(new URLSearchParams(query), NOW);

Deno.test("a range is whole local days including today", () => {
  const local = (text: string) => new Date(text).toString().slice(4, 21);
  const { from, to } = momentsOf(daysOf("7", NOW));
  assert.equal(local(from), "Nov 15 2026 00:00");
  assert.equal(local(to), "Nov 22 2026 00:00");
  assert.deepEqual(daysOf("today", NOW), { first: "2026-11-21", last: "2026-11-21" });
  assert.deepEqual(daysOf("90", NOW), { first: "2026-08-24", last: "2026-11-21" });
});

Deno.test("long ranges have long intervals", () => {
  const until = (first: string) => ({ first, last: "2026-11-21" });
  assert.equal(lengthOf(until("2026-01-01")), 325);
  assert.equal(intervalOf(until("2026-11-20")), "hour");
  assert.equal(intervalOf(until("2026-11-19")), "day");
  assert.equal(intervalOf(until("2026-01-01")), "week");
  assert.equal(intervalOf(until("2020-01-01")), "month");
});

Deno.test("invalid days have an error", () => {
  const trouble = (first: string, last: string) => troubleWith({ first, last }, "2026-11-21");
  assert.equal(trouble("2026-11-01", "2026-11-21"), null);
  assert.equal(trouble("2026-11-21", "2026-12-31"), null);
  assert.equal(trouble("2026-11-21", "2026-11-20"), "The first day is after the last");
  assert.equal(trouble("2026-11-22", "2026-11-23"), "The first day has not come yet");
  for (const bad of ["", "2026-02-30", "tomorrow", "0001-01-01", "2026-1-1"]) {
    assert.equal(trouble(bad, "2026-11-21"), "Choose two days", bad);
  }
});

Deno.test("a view survives in the address", () => {
  for (
    const query of [
      "",
      "?metric=response_p90&by=label&range=90",
      "?range=today",
      "?metric=messages_out&from=2026-10-01&to=2026-10-31",
    ]
  ) assert.equal(queryOf(view(query)), query);
});

Deno.test("invalid values in an address are ignored", () => {
  const bad = "?metric=__proto__&by=moon&range=8&from=2026-10-31&to=2026-10-01";
  assert.equal(queryOf(view(bad)), "");
  assert.equal(queryOf(view("?range=custom")), "");
  // Days take precedence over the range.
  assert.equal(view("?range=90&from=2026-10-01&to=2026-10-31").range, "custom");
});
