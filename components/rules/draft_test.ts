import assert from "node:assert/strict";
import type { ContextRule } from "../../protocol/model.ts";
import {
  bodyOf,
  draftErrors,
  draftOf,
  EMPTY,
  errorsByField,
  isBasic,
  moved,
  sameDraft,
  TEMPLATES,
  whenWords,
} from "./draft.ts";

const RULE: ContextRule = {
  id: "01a1fe5f-eb6d-7000-b840-c36a92e813da",
  userId: null,
  name: "Prices",
  enabled: true,
  position: 1,
  conditions: [
    { kind: "page_url", globs: ["/pricing", "https://example.com/*"] },
    { kind: "message", keywords: ["price", "how much"] },
  ],
  actions: [{ kind: "bot_message", content: "From 9 €." }],
  createdAt: "2026-01-01T00:00:00.000Z",
  updatedAt: "2026-01-01T00:00:00.000Z",
};

Deno.test("a draft without changes is the same rule again", () => {
  const { name, conditions, actions } = RULE;
  assert.equal(isBasic(RULE), true);
  assert.deepEqual(bodyOf(draftOf(RULE)), { name, conditions, actions });
  for (const { draft } of TEMPLATES) assert.deepEqual(draftErrors(draft), {});
});

Deno.test("lines, commas, duplicates and empty entries are cleaned up", () => {
  const draft = {
    name: " N ",
    pages: " /a \n\n/a\n/b",
    words: "one,, two;\nthree, one",
    says: " s ",
  };
  assert.deepEqual(bodyOf(draft), {
    name: "N",
    conditions: [
      { kind: "page_url", globs: ["/a", "/b"] },
      { kind: "message", keywords: ["one", "two", "three"] },
    ],
    actions: [{ kind: "bot_message", content: "s" }],
  });
  assert.equal(sameDraft(draft, { ...draft, name: "N", words: "one\ntwo\nthree" }), true);
  assert.equal(sameDraft(draft, { ...draft, says: "t" }), false);
});

Deno.test("each error is at its field", () => {
  assert.deepEqual(Object.keys(draftErrors(EMPTY)), ["name", "pages", "says"]);
  const fine = draftOf(RULE);
  assert.deepEqual(draftErrors(fine), {});
  for (const page of ["pricing", "a page", "/x y", `/${"a".repeat(500)}`, "https://"]) {
    assert.ok(draftErrors({ ...fine, pages: page }).pages, page);
  }
  for (const page of ["/", "*", "*/shop/*", "example.com", "localhost:8000/a", "HTTPS://a/b"]) {
    assert.equal(draftErrors({ ...fine, pages: page }).pages, undefined, page);
  }
  assert.ok(draftErrors({ ...fine, words: "w".repeat(101) }).words);
  const many = Array.from({ length: 51 }, (_, i) => `/p${i}`);
  assert.ok(draftErrors({ ...fine, pages: many.join("\n") }).pages);
  assert.ok(draftErrors({ ...fine, words: many.join(",") }).words);
});

Deno.test("the server's errors are at the fields of the form", () => {
  const draft = draftOf(RULE);
  assert.deepEqual(
    errorsByField(draft, [
      { path: "conditions.1.keywords.0", message: "words" },
      { path: "conditions.0.globs.1", message: "pages" },
      { path: "actions.0.content", message: "says" },
      { path: "name", message: "name" },
      { path: "other", message: "whole" },
    ]),
    { words: "words", pages: "pages", says: "says", name: "name", "": "whole" },
  );
});

Deno.test("a rule that the form cannot show completely is not basic", () => {
  const [page, message] = RULE.conditions;
  assert.equal(isBasic({ ...RULE, conditions: [page!, page!] }), false);
  assert.equal(isBasic({ ...RULE, actions: [] }), false);
  const later = { kind: "weather" } as unknown as typeof message;
  assert.equal(isBasic({ ...RULE, conditions: [later!] }), false);
});

Deno.test("a rule is described by a sentence", () => {
  const [page, message] = RULE.conditions;
  assert.equal(whenWords([page!]), "A visitor comes to /pricing or https://example.com/*");
  assert.equal(whenWords([message!]), "A visitor writes “price” or “how much”");
  assert.match(whenWords(RULE.conditions), /^A visitor writes .* on \/pricing or/);
  const many = { kind: "page_url" as const, globs: ["/a", "/b", "/c", "/d", "/e"] };
  assert.equal(whenWords([many]), "A visitor comes to /a, /b, /c or 2 more");
  assert.equal(whenWords([]), "Never: it has no conditions");
  const later = { kind: "unknown" } as unknown as typeof page;
  assert.match(whenWords([later!]), /^Never/);
});

Deno.test("one rule moves, the others keep their order", () => {
  assert.deepEqual(moved(["a", "b", "c"], 0, 2), ["b", "c", "a"]);
  assert.deepEqual(moved(["a", "b", "c"], 2, 0), ["c", "a", "b"]);
});
