import assert from "node:assert/strict";
import { createPasswords } from "./passwords.ts";

const passwords = createPasswords({ cost: 2 ** 10, atOnce: 1, waiting: 1 });

Deno.test("a stored password is read as it is written", async () => {
  // RFC 7914, section 12.
  const key = "fdbabe1c9d3472007856e7190d01e9fe7c6ad7cbc8237830e77376634b373162";
  const stored = `scrypt$1024$8$16$4e61436c$${key}`;
  assert.equal(await passwords.verify("password", stored), true);
  assert.equal(await passwords.verify("Password", stored), false);
  const own = await passwords.hash("password");
  assert.match(own, /^scrypt\$1024\$8\$3\$[0-9a-f]{32}\$[0-9a-f]{64}$/);
  assert.equal(await passwords.verify("password", own), true);
});

Deno.test("what is stored and is no hash lets nobody in", async () => {
  const bad = ["", "password", "scrypt$1024$8$16$4e61436c$", "scrypt$1024$8$16$4e61436$fd"];
  for (const stored of [...bad, "scrypt$1024$8$16$4e61436c$xx", "bcrypt$1$1$1$00$00"]) {
    assert.equal(await passwords.verify("password", stored), false, stored);
  }
});
