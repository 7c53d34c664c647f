import assert from "node:assert/strict";
import { loginPath, safeNext } from "./safe_next.ts";

Deno.test("paths of this site are kept with query and hash", () => {
  assert.equal(safeNext("/conversations/1?view=mine#m"), "/conversations/1?view=mine#m");
});

Deno.test("a URL that could leave the site becomes the inbox", () => {
  for (
    const next of [
      null,
      "",
      "https://evil.example",
      "//evil.example",
      "///evil.example",
      "/\\evil.example",
      "/\t/evil.example",
      "/.//evil.example",
      "javascript:alert(1)",
      "conversations/1",
    ]
  ) assert.equal(safeNext(next), "/", JSON.stringify(next));
});

Deno.test("the sign-in pages are never the destination", () => {
  assert.equal(safeNext("/login?next=/"), "/");
  assert.equal(loginPath("/"), "/login");
  assert.equal(loginPath("/conversations/a b"), "/login?next=%2Fconversations%2Fa%2520b");
});
