import assert from "node:assert/strict";
import { candidates, mentionQuery, withMention } from "./mention_query.ts";

const PEOPLE = [{ name: "Ada Park" }, { name: "Bea" }, { name: "Jörg Adams" }];

Deno.test("a mention begins with @ at the start of a word, up to the caret", () => {
  assert.deepEqual(mentionQuery("@", 1), { at: 0, text: "" });
  assert.deepEqual(mentionQuery("see @ad and", 7), { at: 4, text: "ad" });
  assert.deepEqual(mentionQuery("(@Ada P", 7), { at: 1, text: "Ada P" });
  assert.equal(mentionQuery("mail@ada", 8), null);
  assert.equal(mentionQuery("@ ada", 5), null);
  assert.equal(mentionQuery("@ada\nmore", 9), null);
  assert.equal(mentionQuery("ada", 3), null);
});

Deno.test("people are found by the beginning of any part of their name", () => {
  const of = (text: string) => candidates(PEOPLE, { at: 0, text }, 5).map(({ name }) => name);
  assert.deepEqual(of("ad"), ["Ada Park", "Jörg Adams"]);
  assert.deepEqual(of("ada p"), ["Ada Park"]);
  assert.deepEqual(of("JÖ"), ["Jörg Adams"]);
  assert.deepEqual(of("bea "), []);
  assert.deepEqual(of("Bea"), []);
  assert.deepEqual(of("x"), []);
  assert.equal(candidates(PEOPLE, { at: 0, text: "" }, 2).length, 2);
});

Deno.test("the name replaces what was written", () => {
  assert.deepEqual(withMention("see @ad please", { at: 4, text: "ad" }, "Ada Park"), {
    text: "see @Ada Park please",
    caret: 14,
  });
  assert.deepEqual(withMention("@", { at: 0, text: "" }, "Bea"), { text: "@Bea ", caret: 5 });
});
