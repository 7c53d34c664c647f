import assert from "node:assert/strict";
import { languageWords, provenanceWords, valueOf, valueWords } from "./words.ts";

Deno.test("an attribute is shown with who set it and whether it is verified", () => {
  assert.equal(provenanceWords({ source: "agent", by: "Ada" }), "Set by Ada");
  assert.equal(provenanceWords({ source: "agent", by: null }), "Set by an agent");
  assert.match(provenanceWords({ source: "visitor", by: null }), /not verified/);
  assert.doesNotMatch(provenanceWords({ source: "token", by: null }), /not verified/);
});

Deno.test("what is typed into an attribute is a number, yes or no, or text", () => {
  const cases = {
    "42": 42,
    " -0.5 ": -0.5,
    yes: true,
    False: false,
    "007": "007",
    "+49 30": "+49 30",
  };
  for (const [text, value] of Object.entries(cases)) assert.equal(valueOf(text), value, text);
  assert.equal(valueOf("99999999999999999999"), "99999999999999999999");
  for (const value of [42, true, "text"]) assert.equal(valueOf(valueWords(value)), value);
});

Deno.test("a language has its English name, and nonsense stays as it is", () => {
  assert.equal(languageWords("de-AT"), "Austrian German");
  assert.equal(languageWords("?"), "?");
});
