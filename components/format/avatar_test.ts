import assert from "node:assert/strict";
import { hueOf, HUES, initialsOf } from "./avatar.ts";

Deno.test("initials come from the first and the last word", () => {
  assert.equal(initialsOf("Ada Lovelace"), "AL");
  assert.equal(initialsOf("Ada King Noel"), "AN");
  assert.equal(initialsOf("ada"), "A");
  assert.equal(initialsOf("Visitor 4f2a"), "V4");
  assert.equal(initialsOf("(Ørsted)"), "Ø");
  assert.equal(initialsOf("🙂"), "?");
});

Deno.test("colours are stable and spread", () => {
  assert.equal(hueOf("a"), hueOf("a"));
  const seen = new Set<number>();
  for (let i = 0; i < 200; i++) seen.add(hueOf(`0198c2d4-${i}`));
  assert.equal(seen.size, HUES);
});
