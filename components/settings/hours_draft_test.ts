import assert from "node:assert/strict";
import {
  copyTo,
  draftOf,
  errorsByField,
  errorsOf,
  hoursOf,
  nextInterval,
  stateText,
} from "./hours_draft.ts";

const week = (...days: [string, string][][]) => ({
  timeZone: "Europe/Berlin",
  days: Array.from(
    { length: 7 },
    (_, day) => (days[day] ?? []).map(([from, to]) => ({ from, to })),
  ),
});

Deno.test("a draft has the stored hours, sorted", () => {
  const hours = week([["08:00", "12:00"], ["13:00", "24:00"]]);
  const draft = draftOf(hours, "UTC");
  assert.equal(draft.days[0]![1]!.to, "00:00");
  assert.deepEqual(hoursOf(draft), hours);
  draft.days[0]!.reverse();
  assert.deepEqual(hoursOf(draft), hours);
  assert.equal(hoursOf({ ...draft, always: true }), null);
  const first = draftOf(null, "Asia/Kathmandu");
  assert.deepEqual([first.always, first.timeZone], [true, "Asia/Kathmandu"]);
  assert.deepEqual(first.days.map((day) => day.length), [1, 1, 1, 1, 1, 0, 0]);
});

Deno.test("errors are at their fields", () => {
  const of = (...day: [string, string][]) => errorsOf(draftOf(week(day), "UTC"));
  assert.deepEqual(of(["09:00", "12:00"], ["12:00", "24:00"]), {});
  assert.match(of(["09:00", "09:00"])["0.0"]!, /has to be after/);
  assert.match(of(["09:00", ""])["0.0"]!, /Enter/);
  assert.match(of(["09:00", "12:00"], ["11:00", "13:00"])["0.1"]!, /before 12:00/);
  assert.match(of().days!, /at least one day/);
  assert.deepEqual(errorsOf({ ...draftOf(week(), "UTC"), always: true }), {});
  const draft = draftOf(week([["13:00", "14:00"], ["09:00", "15:00"]]), "UTC");
  assert.deepEqual(
    errorsByField(draft, [
      { path: "businessHours.days.0.1.from", message: "no" },
      { path: "businessHours.timeZone", message: "which" },
      { path: "businessHours", message: "what" },
    ]),
    { "0.0": "no", timeZone: "which", "": "what" },
  );
});

Deno.test("a day is copied, and continues after its pause", () => {
  const draft = draftOf(week([["08:00", "12:00"]]), "UTC");
  const copied = copyTo(draft.days, 0, [1, 6]);
  assert.deepEqual(copied.map((day) => day.length), [1, 1, 0, 0, 0, 0, 1]);
  assert.notEqual(copied[1]![0], copied[0]![0]);
  assert.deepEqual(nextInterval(copied[0]!), { key: 1, from: "13:00", to: "16:00" });
  assert.deepEqual(nextInterval([]), { key: 0, from: "09:00", to: "17:00" });
  assert.deepEqual(nextInterval([{ key: 4, from: "20:00", to: "00:00" }]), {
    key: 5,
    from: "",
    to: "",
  });
});

Deno.test("whether it is open now, and until or from when", () => {
  const nine: [string, string][] = [["09:00", "12:00"], ["13:00", "17:00"]];
  const hours = week(nine, nine, nine, nine, nine);
  // 16 November 2026 is a Monday; Berlin is an hour ahead of UTC.
  const at = (text: string, of = hours) => stateText(of, Date.parse(`2026-11-${text}Z`));
  assert.equal(at("16T08:00"), "Open now, until 12:00");
  assert.equal(at("16T11:00"), "Closed now, opens today at 13:00");
  assert.equal(at("16T16:00"), "Closed now, opens tomorrow at 09:00");
  assert.equal(at("20T16:00"), "Closed now, opens Monday at 09:00");
  assert.equal(at("22T22:59"), "Closed now, opens tomorrow at 09:00");
  assert.equal(stateText(null, 0), "Always open");
  const night = week([["20:00", "24:00"]], [["00:00", "04:00"], ["04:00", "06:00"]]);
  assert.equal(at("16T21:00", night), "Open now, until Tuesday at 06:00");
  assert.equal(at("16T21:00", week([["20:00", "24:00"]])), "Open now, until midnight");
  assert.equal(at("17T21:00", week([["20:00", "24:00"]])), "Closed now, opens Monday at 20:00");
  const always = week(...Array.from({ length: 7 }, (): [string, string][] => [["00:00", "24:00"]]));
  assert.equal(at("16T21:00", always), "Open now, around the clock");
});
