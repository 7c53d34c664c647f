import assert from "node:assert/strict";
import { createFormats, initials, sameDay, teamStatus } from "./format.ts";

Deno.test("days have their usual names, even if the language is invalid", () => {
  const formats = createFormats("not a language");
  const day = (back: number) => {
    const date = new Date();
    date.setDate(date.getDate() - back);
    return date.toISOString();
  };
  assert.equal(formats.day(day(0)), "Today");
  assert.equal(formats.day(day(1)), "Yesterday");
  assert.notEqual(formats.day(day(2)), "Yesterday");
  assert.ok(sameDay(day(0), day(0)));
  assert.ok(!sameDay(day(0), day(1)));
});

Deno.test("initials are those of the first and the last name", () => {
  assert.equal(initials("Ada King Lovelace"), "AL");
  assert.equal(initials("ada"), "A");
  assert.equal(initials("  "), "");
});

Deno.test("the team's status says who is online", () => {
  const ada = { userName: "Ada", status: "online" };
  assert.equal(teamStatus([ada, { userName: "Bo", status: "away" }]), "Ada is online");
  assert.equal(teamStatus([ada, ada]), "The team is online");
  assert.equal(teamStatus([{ userName: "Bo", status: "away" }]), "Away for a moment");
  assert.match(teamStatus([]), /^Away –/);
});
