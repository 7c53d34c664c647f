import assert from "node:assert/strict";
import { generatePassword } from "./generated_password.ts";

Deno.test("generated passwords are long, legible and never the same", () => {
  const some = new Set(Array.from({ length: 200 }, () => generatePassword()));
  assert.equal(some.size, 200);
  for (const one of some) assert.match(one, /^([a-hjkmnp-z2-9]{5}-){3}[a-hjkmnp-z2-9]{5}$/);
});

Deno.test("bytes that would favour some letters are skipped", () => {
  const bytes = [255, 248, 0];
  const password = generatePassword((target) => target[0] = bytes.shift() ?? 30);
  assert.equal(password, "a9999-99999-99999-99999");
});
