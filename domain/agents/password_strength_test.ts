import assert from "node:assert/strict";
import { needStrong } from "./password_strength.ts";

const ABOUT = ["Ada Lovelace", "ada.lovelace@engines.example"];

Deno.test("passwords that are guessed early are refused with the reason", async () => {
  const cases: [string, RegExp][] = [
    ["password12", /most common/],
    ["P@ssw0rd1234", /common/],
    ["1234567890", /common/],
    ["qwertyuiop[]", /keyboard|common/],
    ["aaaaaaaaaaaaaaa", /repeats/],
    ["abcabcabcabc", /repeats/],
    ["abcdefghijkl", /alphabet/],
    ["Ada Lovelace 1", /your name/],
    ["lovelace2026", /your name|years/],
    ["ada.lovelace@engines.example", /your name/],
    ["parleyparley", /product|repeats/],
  ];
  for (const [password, reason] of cases) {
    await assert.rejects(needStrong(password, ABOUT), (error: Error & { fields: unknown[] }) => {
      assert.match(error.message, reason, password);
      assert.equal(error.fields.length, 1);
      return true;
    }, password);
  }
});

Deno.test("passwords that nobody guesses are taken, of whatever script and length", async () => {
  const good = [
    "correct horse battery",
    "violet kettle harbour 9",
    "x9$kLq2Zr!mm",
    "Blaue Kühe fliegen nachts",
    "пурпурный чайник у причала",
    "紫のやかんと港の灯台",
    "k3 ".repeat(60) + "tail",
  ];
  for (const password of good.slice(0, -1)) await needStrong(password, ABOUT);
  // However long it is, it is looked at in a bounded time.
  await assert.rejects(needStrong(good.at(-1)!, ABOUT));
});
