import assert from "node:assert/strict";
import { fold, highlight, rangesOf, snippet, termsOf } from "./highlights.ts";

/** The matches as text. */
function found(text: string, query: string): string[] {
  return rangesOf(text, termsOf(query)).map(({ start, end }) => text.slice(start, end));
}

Deno.test("a word is found by its beginning, whatever its case and accents", () => {
  assert.deepEqual(found("Ihre BESTELLUNG für das Café", "bestell cafe"), ["BESTELL", "Café"]);
  assert.deepEqual(found("Das ist die Übergröße, Straße 5", "ubergross strasse"), [
    "Übergröß",
    "Straße",
  ]);
  assert.deepEqual(found("Łódź and łódź", "lodz"), ["Łódź", "łódź"]);
  assert.deepEqual(found("e\u0301te\u0301 and été", "ete"), ["e\u0301te\u0301", "été"]);
});

Deno.test("the middle of a word is found from three letters on, a single letter only as a word", () => {
  assert.deepEqual(found("a teapot, a pot", "pot"), ["pot", "pot"]);
  assert.deepEqual(found("a teapot and tea", "te"), ["te", "te"]);
  assert.deepEqual(found("a teapot", "po"), []);
  assert.deepEqual(found("a teapot and b", "a"), ["a"]);
  assert.deepEqual(found("order 7421, 8", "7"), ["7"]);
  assert.deepEqual(found("Rückerstattung, перезаказ", "erstatt заказ"), ["erstatt", "заказ"]);
});

Deno.test("vowel marks, apostrophes and hyphens are written or left out", () => {
  assert.deepEqual(found("السَّلَامُ عليكم", "سلام"), ["سَّلَامُ"]);
  assert.deepEqual(found("שָׁלוֹם לכם", "שלום לום"), ["שָׁלוֹם"]);
  assert.deepEqual(found("I don’t, you dont", "don't"), ["don’t", "dont"]);
  assert.deepEqual(found("my e-mail and email", "email"), ["e-mail", "email"]);
  assert.deepEqual(found("re open or reopen", "re-open"), ["reopen"]);
  assert.deepEqual(found("to re open", "re-open"), ["re", "open"]);
  assert.deepEqual(found("o'clock", "clock c"), ["clock"]);
});

Deno.test("scripts without spaces are found anywhere", () => {
  assert.deepEqual(found("私は日本語を話します", "日本"), ["日本"]);
  assert.deepEqual(found("iPhone手机壳多少钱", "手机壳"), ["手机壳"]);
  assert.deepEqual(termsOf("iphone手机"), ["iphone", "手机"]);
});

Deno.test("addresses are found by their parts", () => {
  assert.deepEqual(found("maria.lopez@example.com", "lopez@exam"), ["lopez", "exam"]);
});

Deno.test("ranges count UTF-16 units and never overlap", () => {
  const text = "👩‍🚀 refund refunded 👍";
  const { ranges } = highlight(text, termsOf("refund ref"));
  assert.deepEqual(ranges.map(({ start, end }) => text.slice(start, end)), ["refund", "refund"]);
  assert.ok(ranges.every((range, i) => i === 0 || range.start >= ranges[i - 1]!.end));
  assert.deepEqual(termsOf("!?… 👍"), []);
  assert.deepEqual(rangesOf("refund", []), []);
});

Deno.test("a snippet shows the first find, on one line, and no half characters", () => {
  const long = `${"Hello there. ".repeat(40)}\nPlease\nrefund me ${"👍".repeat(200)}`;
  const { text, ranges } = snippet(long, termsOf("refund"));
  assert.ok(text.startsWith("…") && text.endsWith("…") && text.length < 200);
  assert.ok(!text.includes("\n"));
  assert.deepEqual(ranges.map(({ start, end }) => text.slice(start, end)), ["refund"]);
  assert.ok(text.isWellFormed());
  assert.ok(snippet("👍".repeat(300), []).text.isWellFormed());
  assert.deepEqual(snippet("short", []), { text: "short", ranges: [] });
});

Deno.test("folding what is folded changes nothing", () => {
  for (const text of ["Größe", "İstanbul", "ΑΣ", "ﬁ", "한국어", "Æsir"]) {
    assert.equal(fold(fold(text)), fold(text));
  }
});
