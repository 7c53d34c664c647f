import assert from "node:assert/strict";
import { mentionedIn } from "./mentions.ts";

const PEOPLE = [
  { id: "ada", name: "Ada" },
  { id: "lovelace", name: "Ada Lovelace" },
  { id: "joerg", name: "Jörg" },
  { id: "odd", name: "R. (Bob) *" },
  { id: "twin", name: "ada" },
];

Deno.test("a mention is @ and the whole name, the longest that fits", () => {
  const of = (content: string) => mentionedIn(content, PEOPLE).sort();
  assert.deepEqual(of("@Ada, can you?"), ["ada", "twin"]);
  assert.deepEqual(of("@ada lovelace can"), ["lovelace"]);
  assert.deepEqual(of("see @Adam"), []);
  assert.deepEqual(of("mail@ada.example"), []);
  assert.deepEqual(of("(@JÖRG)"), ["joerg"]);
  assert.deepEqual(of("@jo\u0308rg!"), ["joerg"]);
  assert.deepEqual(of("@R. (Bob) * look"), ["odd"]);
  assert.deepEqual(of("@Ada @Jörg @Ada"), ["ada", "joerg", "twin"]);
  assert.deepEqual(of("@@Ada"), ["ada", "twin"]);
  assert.deepEqual(of("@"), []);
  assert.deepEqual(of(""), []);
});

Deno.test("a person without a name is mentioned by nothing", () => {
  assert.deepEqual(mentionedIn("@ hello @", [{ id: "x", name: "" }]), []);
});
