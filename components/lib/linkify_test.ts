import assert from "node:assert/strict";
import { linkify, safeHref } from "./linkify.ts";

const links = (text: string) => linkify(text).filter((part) => part.href).map((part) => part.text);

Deno.test("the parts together are the text", () => {
  const text = "See https://a.example/x, (http://b.example/y_(z)) and\nhttps://c.example.";
  assert.equal(linkify(text).map((part) => part.text).join(""), text);
  assert.deepEqual(links(text), [
    "https://a.example/x",
    "http://b.example/y_(z)",
    "https://c.example",
  ]);
});

Deno.test("only complete http and https addresses become links", () => {
  assert.deepEqual(links("javascript:alert(1) data:text/html,x ftp://a.example www.a.example"), []);
  assert.deepEqual(links("https:// http://"), []);
  assert.equal(safeHref("javascript:alert(1)"), null);
});

Deno.test("markup in the text stays text", () => {
  assert.deepEqual(links('<a href="https://a.example/">x</a>'), ["https://a.example/"]);
});

Deno.test("text without links is one part, no text is none", () => {
  assert.deepEqual(linkify("hello"), [{ text: "hello" }]);
  assert.deepEqual(linkify(""), []);
});
