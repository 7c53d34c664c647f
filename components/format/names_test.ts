import assert from "node:assert/strict";
import { channelWord, contactName, namesOf, titleOf } from "./names.ts";

const contact = {
  id: "01a1f905-b1f6-7004-93ad-f750b7cdf673",
  name: "Grace",
  email: null,
  createdAt: "2026-11-20T12:54:22.455Z",
  lastSeenAt: null,
};

Deno.test("titleOf() puts a shared context before its contact", () => {
  assert.equal(titleOf({ contact }), "Grace");
  assert.equal(titleOf({ contact, contextId: "context_123" }), "context_123 · Grace");
});

Deno.test("a contact without a name is called as the server calls visitors", () => {
  const nameless = { ...contact, name: " " };
  assert.equal(contactName(contact), "Grace");
  assert.equal(contactName(nameless), "Visitor f673");
  assert.equal(titleOf({ contact: nameless }), "Visitor f673");
  assert.equal(namesOf([{ userName: "" }, { userName: "Ann" }]), "Visitor and Ann");
});

Deno.test("namesOf() names two of many", () => {
  const people = ["Ann", "Bea", "Cleo", "Dan"].map((userName) => ({ userName }));
  const counts = [0, 1, 2, 3, 4].map((count) => namesOf(people.slice(0, count)));
  assert.deepEqual(counts, [
    "",
    "Ann",
    "Ann and Bea",
    "Ann, Bea and Cleo",
    "Ann, Bea and 2 others",
  ]);
});

Deno.test("channelWord() has a word for known channels and shows the others as they are", () => {
  assert.equal(channelWord("web"), "Website");
  assert.equal(channelWord("context"), "Shared context");
  assert.equal(channelWord("constructor"), "constructor");
});
