import assert from "node:assert/strict";
import { createFormats, initials, linkPieces, sameDay, teamStatus } from "./format.ts";

Deno.test("only http and https become links, without the sentence's end", () => {
  assert.deepEqual(linkPieces("See https://a.example/x?y=1. Or (http://b.example)!"), [
    "See ",
    { href: "https://a.example/x?y=1", text: "https://a.example/x?y=1" },
    ". Or (",
    { href: "http://b.example", text: "http://b.example" },
    ")!",
  ]);
  assert.deepEqual(linkPieces("javascript:alert(1) and https://"), [
    "javascript:alert(1) and https://",
  ]);
  assert.deepEqual(linkPieces(""), []);
});

Deno.test("days are named as people name them, in a language that may be nonsense", () => {
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

Deno.test("initials are of the first and the last name", () => {
  assert.equal(initials("Ada King Lovelace"), "AL");
  assert.equal(initials("ada"), "A");
  assert.equal(initials("  "), "");
});

Deno.test("the team's status says who is there", () => {
  const ada = { userName: "Ada", status: "online" };
  assert.equal(teamStatus([ada, { userName: "Bo", status: "away" }]), "Ada is online");
  assert.equal(teamStatus([ada, ada]), "The team is online");
  assert.equal(teamStatus([{ userName: "Bo", status: "away" }]), "Away for a moment");
  assert.match(teamStatus([]), /^Away –/);
});
