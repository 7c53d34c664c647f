import assert from "node:assert/strict";
import { contrast, readable, textOn } from "./color.ts";

const ACCENTS = ["#4f46e5", "#ffd400", "#ffffff", "#000000", "#808080", "#e0531f", "#22c55e"];

Deno.test("contrast is as WCAG defines it", () => {
  assert.equal(contrast("#000000", "#ffffff"), 21);
  assert.equal(contrast("#777777", "#777777"), 1);
  assert.equal(contrast("#767676", "#ffffff").toFixed(2), "4.54");
});

Deno.test("text on any accent is readable", () => {
  assert.equal(textOn("#4f46e5"), "#ffffff");
  assert.equal(textOn("#ffd400"), "#000000");
  for (const accent of ACCENTS) assert.ok(contrast(accent, textOn(accent)) >= 4.5, accent);
});

Deno.test("an accent used as text is moved until it is readable, and no further", () => {
  for (const background of ["#eef0f4", "#2a2d35"]) {
    for (const accent of ACCENTS) {
      assert.ok(contrast(readable(accent, background), background) >= 4.5, accent);
    }
  }
  assert.equal(readable("#4f46e5", "#eef0f4"), "#4f46e5");
});
