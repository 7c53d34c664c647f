import assert from "node:assert/strict";
import { EMOJI, findEmoji, GROUPS } from "./emoji.ts";

Deno.test("emoji are found by name and keyword, the exact ones first", () => {
  const first = (text: string) => findEmoji(text, 3).map(({ unicode }) => unicode);
  assert.equal(first("tada")[0], "🎉");
  assert.equal(first("+1")[0]!.codePointAt(0), "👍".codePointAt(0));
  // An astronaut has the keyword.
  assert.equal(first("rocket")[0], "🚀");
  assert.ok(first("red_heart")[0]!.startsWith("❤"));
  assert.ok(findEmoji("smil", 10).length === 10);
  assert.deepEqual(first("qqqq"), []);
});

Deno.test("every group has emoji, and none of them is a tone or a letter alone", () => {
  assert.ok(EMOJI.length > 1_500);
  for (const { group } of GROUPS) assert.ok(EMOJI.some((emoji) => emoji.group === group));
  assert.ok(!EMOJI.some(({ label }) => /skin tone|regional indicator/.test(label)));
});
