import assert from "node:assert/strict";
import fc from "fast-check";
import { linkify } from "./link_finder.ts";
import { webHref } from "./links.ts";

const links = (text: string) => linkify(text).filter((part) => part.href).map((part) => part.text);
const hrefs = (text: string) => linkify(text).flatMap(({ href }) => href ?? []);

Deno.test("the parts of any text join to the text", () => {
  const pieces = fc.constantFrom(
    ...[
      "https://",
      "www.",
      "a.example",
      "@",
      "/x",
      "(",
      ")",
      ".",
      " ",
      "。",
      "谢",
      "é",
      "*",
      "\u202e",
    ],
    ...["mailto:", ":", "_", "xn--", "\n", "😀", "]", "?", "&", "\ud800"],
  );
  fc.assert(
    fc.property(fc.array(pieces, { maxLength: 30 }).map((all) => all.join("")), (text) => {
      assert.equal(linkify(text).map((part) => part.text).join(""), text);
    }),
    { numRuns: 2000 },
  );
  assert.deepEqual(linkify("hello"), [{ text: "hello" }]);
  assert.deepEqual(linkify(""), []);
});

Deno.test("a link ends where a reader expects it", () => {
  const texts: Record<string, string[]> = {
    "See https://a.example/x, (http://b.example/y_(z)) and\nhttps://c.example.": [
      "https://a.example/x",
      "http://b.example/y_(z)",
      "https://c.example",
    ],
    "https://en.wikipedia.org/wiki/Mug_(disambiguation)": [
      "https://en.wikipedia.org/wiki/Mug_(disambiguation)",
    ],
    "(https://en.wikipedia.org/wiki/Mug_(disambiguation))!": [
      "https://en.wikipedia.org/wiki/Mug_(disambiguation)",
    ],
    "https://example.com/help。谢谢": ["https://example.com/help"],
    "请看https://example.com/a，谢谢": ["https://example.com/a"],
    "https://zh.wikipedia.org/wiki/马克杯": ["https://zh.wikipedia.org/wiki/马克杯"],
    "“https://a.example/” «https://b.example»": ["https://a.example/", "https://b.example"],
    "**https://a.example/x** _https://b.example/y_ `https://c.example/z`": [
      "https://a.example/x",
      "https://b.example/y",
      "https://c.example/z",
    ],
    "https://a.example/x?y=1&z=[2]#end… more": ["https://a.example/x?y=1&z=[2]#end"],
    "http://localhost:8000/x HTTPS://A.EXAMPLE http://10.0.0.1/": [
      "http://localhost:8000/x",
      "HTTPS://A.EXAMPLE",
      "http://10.0.0.1/",
    ],
    '<a href="https://a.example/">x</a>': ["https://a.example/"],
    // The characters after it would be displayed in another order.
    "https://a.example/\u202egpj.exe": ["https://a.example/"],
    "https://user@a.example/x": ["https://user@a.example/x"],
  };
  for (const [text, wanted] of Object.entries(texts)) assert.deepEqual(links(text), wanted, text);
});

Deno.test("addresses with www. and e-mail addresses are links, other words with a dot are not", () => {
  assert.deepEqual(hrefs("www.a.example/x. Www.B.museum"), [
    "http://www.a.example/x",
    "http://www.b.museum/",
  ]);
  assert.deepEqual(links("a.www.b.example /www.b.example swww.b.example www. www.x"), []);
  assert.deepEqual(links("example.com readme.md node.js 1.2.3 e.g. hello.World"), []);
  assert.deepEqual(hrefs("Write to ada@example.com, or <bob.x@mail.example>."), [
    "mailto:ada@example.com",
    "mailto:bob.x@mail.example",
  ]);
  assert.deepEqual(links("@ada ada@ ada@localhost"), []);
  // A copy to somebody else must not be a part of the address.
  assert.deepEqual(hrefs("a?cc=eve%40x&b=c@example.com"), [
    "mailto:a%3Fcc%3Deve%2540x%26b%3Dc@example.com",
  ]);
});

Deno.test("only http, https and mailto become links", () => {
  const bad = "javascript:alert(1) data:text/html,x ftp://a.example //a.example/x file:///x";
  assert.deepEqual(links(bad), []);
  assert.deepEqual(links("https:// http:// https://* mailto: xhttps://a.example"), []);
  assert.equal(webHref("javascript:alert(1)"), null);
  assert.equal(webHref("https://"), null);
});

Deno.test("letters that look like others show the real address", () => {
  const [part] = linkify("https://аррӏе.com/login");
  assert.equal(part!.href, "https://xn--80ak6aa92e.com/login");
  assert.equal(part!.title, part!.href);
  assert.equal(linkify("https://apple.com/login")[0]!.title, undefined);
});
