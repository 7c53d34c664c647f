import assert from "node:assert/strict";
import { candidates, withMention } from "./mentions.ts";

const PEOPLE = [{ name: "Ada Park" }, { name: "Bea" }, { name: "Jörg Adams" }];

Deno.test("people are found by the beginning of any part of their name", () => {
  const of = (text: string) => candidates(PEOPLE, { text }, 5).map(({ name }) => name);
  assert.deepEqual(of("ad"), ["Ada Park", "Jörg Adams"]);
  assert.deepEqual(of("ada p"), ["Ada Park"]);
  assert.deepEqual(of("JÖ"), ["Jörg Adams"]);
  assert.deepEqual(of("bea "), []);
  assert.deepEqual(of("Bea"), []);
  assert.deepEqual(of("x"), []);
  assert.equal(candidates(PEOPLE, { text: "" }, 2).length, 2);
});

Deno.test("the name replaces what was written", () => {
  const trigger = (at: number, text: string) => ({ kind: "mention", at, text }) as const;
  assert.deepEqual(withMention("see @ad please", trigger(4, "ad"), "Ada Park"), {
    text: "see @Ada Park please",
    caret: 14,
  });
  assert.deepEqual(withMention("@", trigger(0, ""), "Bea"), { text: "@Bea ", caret: 5 });
});
