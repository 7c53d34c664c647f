import assert from "node:assert/strict";
import { noteParts } from "./note_mentions.ts";

const PEOPLE = [{ id: "1", name: "Ada" }, { id: "2", name: "Ada Lovelace" }, {
  id: "3",
  name: "Jörg",
}];
const marked = (text: string) =>
  noteParts(text, PEOPLE).map(({ text, mentions }) => mentions ? `[${text} ${mentions}]` : text);

Deno.test("whole names after @ are marked, the longest first", () => {
  assert.deepEqual(marked("Hi @ada lovelace, and @Ada!"), [
    "Hi ",
    "[@ada lovelace 2]",
    ", and ",
    "[@Ada 1]",
    "!",
  ]);
  assert.deepEqual(marked("@JÖRG"), ["[@JÖRG 3]"]);
  assert.deepEqual(marked("mail@ada @Adam @ nobody"), ["mail@ada @Adam @ nobody"]);
  assert.deepEqual(marked(""), []);
});
