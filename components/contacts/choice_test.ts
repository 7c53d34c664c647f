import assert from "node:assert/strict";
import { choiceOf, DEFAULT_CHOICE, queryOf, searchOf } from "./choice.ts";

Deno.test("the list of contacts is in its address, and nonsense there is the default", () => {
  const choice = { ...DEFAULT_CHOICE, q: "ann & bob", sort: "name" as const };
  assert.equal(searchOf(choice), "?q=ann+%26+bob&sort=name");
  assert.deepEqual(choiceOf(new URLSearchParams(searchOf(choice))), choice);
  assert.equal(searchOf(DEFAULT_CHOICE), "");
  assert.equal(String(queryOf(DEFAULT_CHOICE)), "view=wrote&sort=recent");
  const bad = new URLSearchParams("view=everything&sort=&hasEmail=maybe&q=x");
  assert.deepEqual(choiceOf(bad), { ...DEFAULT_CHOICE, q: "x" });
});
