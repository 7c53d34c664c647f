import assert from "node:assert/strict";
import type { RuleCondition } from "./model.ts";
import { matchesPage } from "./page_glob.ts";
import { hasKeyword, holds } from "./rule_match.ts";

const pages = (...globs: string[]): RuleCondition => ({ kind: "page_url", globs });
const words = (...keywords: string[]): RuleCondition => ({ kind: "message", keywords });

Deno.test("a glob is a whole address, in which * stands for any characters", () => {
  const url = "https://shop.example.com/pricing/plans?ref=ad#top";
  for (
    const glob of [
      "*",
      "https://shop.example.com/*",
      "https://shop.example.com/pricing/plans",
      "HTTPS://Shop.Example.com/Pricing/Plans/",
      "shop.example.com/*",
      "*.example.com/pricing/*",
      "/pricing/*",
      "/pricing/plans",
      "/pricing/plans?ref=ad",
      "*ref=ad*",
      "*/plans",
    ]
  ) assert.equal(matchesPage([glob], url), true, glob);
  for (
    const glob of [
      "https://shop.example.com/",
      "https://shop.example.com/pricing",
      "http://*",
      "example.com/*",
      "/plans",
      "pricing",
      "/pricing/plan",
      "/pricing/plans?ref=",
      ".*",
    ]
  ) assert.equal(matchesPage([glob], url), false, glob);
});

Deno.test("the start page has a path, also where the address leaves it out", () => {
  for (const url of ["https://example.com", "https://example.com/", "https://example.com/?a=1"]) {
    assert.equal(matchesPage(["/"], url), true, url);
    assert.equal(matchesPage(["https://example.com"], url), true, url);
    assert.equal(matchesPage(["https://example.com/"], url), true, url);
  }
  assert.equal(matchesPage(["/"], "https://example.com/shop"), false);
  assert.equal(matchesPage(["/"], "not an address"), false);
});

Deno.test("no glob takes long, however many stars it has", () => {
  const url = `https://example.com/${"a".repeat(2000)}`;
  assert.equal(matchesPage(["*a".repeat(240) + "b"], url), false);
  assert.equal(matchesPage(["*a".repeat(240)], url), true);
});

Deno.test("keywords are whole words or phrases, whatever their case and accents", () => {
  const yes: [string, string][] = [
    ["price", "What is the PRICE?"],
    ["opening hours", "your opening\n hours please"],
    ["cafe", "Ist das Café offen?"],
    ["Größe", "welche groesse? Oder GRÖSSE?"],
    ["don't", "I don’t know"],
    ["c++", "do you know C++?"],
    ["?", "really?"],
    ["👍", "ok👍!"],
    ["价格", "请问价格是多少"],
    ["a.b", "see a.b"],
  ];
  for (const [keyword, text] of yes) assert.equal(hasKeyword([keyword], text), true, keyword);
  const no: [string, string][] = [
    ["price", "priceless, overpriced"],
    ["art", "start"],
    ["a.b", "see axb"],
    ["hours", "24hours"],
    ["prix", "Prixé"],
    [" ", "any thing"],
    ["́", "é"],
  ];
  for (const [keyword, text] of no) assert.equal(hasKeyword([keyword], text), false, keyword);
});

Deno.test("all conditions hold together, and what they are about says when the rule acts", () => {
  const home = { url: "https://example.com/", message: null };
  const asked = { url: "https://example.com/pricing", message: "the price?" };
  assert.equal(holds([pages("/")], home), true);
  assert.equal(holds([pages("/")], { ...home, message: "hello" }), false);
  assert.equal(holds([words("price")], home), false);
  assert.equal(holds([words("price")], asked), true);
  assert.equal(holds([words("price"), pages("/pricing")], asked), true);
  assert.equal(holds([words("price"), pages("/")], asked), false);
  assert.equal(holds([words("price"), pages("/pricing")], { ...asked, url: null }), false);
  assert.equal(holds([pages("/", "/pricing"), pages("*pri*")], { ...asked, message: null }), true);
  assert.equal(holds([], asked), false);
  assert.equal(holds([], home), false);
  const later = { kind: "weather" } as unknown as RuleCondition;
  assert.equal(holds([words("price"), later], asked), false);
});
