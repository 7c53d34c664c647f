import assert from "node:assert/strict";
import { accentHint, isHex, readHex } from "./accent.ts";

Deno.test("colours are accepted in every common notation", () => {
  assert.equal(readHex(" 4F46E5"), "#4f46e5");
  assert.equal(readHex("#46e"), "#4466ee");
  assert.equal(readHex("indigo"), "indigo");
  assert.ok(isHex("#4f46e5") && !isHex("#4f46e"));
});

Deno.test("the hint names the text on the accent, and accents with too little contrast on white", () => {
  assert.deepEqual(accentHint("#4f46e5"), {
    tone: "good",
    text: "White text on it, contrast 6.2 : 1.",
  });
  const yellow = accentHint("#ffd400");
  assert.equal(yellow.tone, "warn");
  assert.match(yellow.text, /stands out little \(1\.4 : 1; 3 : 1 is better\)\. Black text/);
});
