import assert from "node:assert/strict";
import { cleanName, isolate, isVisible } from "./visible_text.ts";

Deno.test("text is visible when it has a character that shows something", () => {
  for (
    const text of [
      "a",
      " . ",
      "\u200bx",
      "שלום",
      "👩‍👩‍👧",
      "❤️",
      "1️⃣",
      "🇩🇪",
      "e\u0301",
      "ก็",
      "\u0640",
      "〰",
      "\u00a0?",
      "\ue000",
    ]
  ) assert.ok(isVisible(text), JSON.stringify(text));
  for (
    const text of [
      "",
      "  \t\n",
      "\u200b",
      "\u200d\u200c",
      "\u00ad",
      "\u2060\ufeff",
      "\u3000",
      "\u00a0\u2003",
      "\u3164",
      "\uffa0",
      "\u115f",
      "\u2800",
      "\u202e \u202c",
      "\u2066\u2069",
      "\u200e\u200f\u061c",
      "\ufe0f",
      "\u034f",
      "\u0301\u0302",
      "\u{e0041}",
      "\u{1d173}",
      "\u0000\u0007",
      "\u180e",
    ]
  ) assert.ok(!isVisible(text), JSON.stringify(text));
});

Deno.test("a name keeps what scripts need, and nothing that acts on the text around it", () => {
  assert.equal(cleanName("  Ada\u0000 \n Lovelace\u0007 "), "Ada Lovelace");
  assert.equal(cleanName("\u202eecilA"), "ecilA");
  assert.equal(cleanName("\u2067Ada\u2069\u202c"), "Ada");
  assert.equal(cleanName("Ada\ufeff"), "Ada");
  assert.equal(cleanName("Ada\ud800"), "Ada\ufffd");
  assert.equal(cleanName("Ada\u2028Lovelace\u0085x"), "Ada Lovelacex");
  for (const name of ["می‌خواهم", "👩‍🔬 Ada", "José Bürger", "محمد", "O’Neill-Ray"]) {
    assert.equal(cleanName(name), name);
  }
});

Deno.test("a part of a sentence keeps its direction to itself", () => {
  assert.equal(isolate("Ada (Ltd.)"), "Ada (Ltd.)");
  assert.equal(isolate("日本"), "日本");
  assert.equal(isolate("שלום!"), "\u2068שלום!\u2069");
  assert.equal(isolate("a\u2069\u202eb"), "\u2068ab\u2069");
});
