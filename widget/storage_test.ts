import assert from "node:assert/strict";
import { openStorage, storedKeys } from "./storage.ts";

Deno.test("the keys of one widget are found, and not those of another with a longer name", () => {
  const storage = openStorage("sessionStorage");
  for (const key of ["parley:a", "parley:a:outbox:1", "parley:ab", "else"]) {
    storage.setItem(key, "1");
  }
  assert.deepEqual(storedKeys(storage, "a").sort(), ["parley:a", "parley:a:outbox:1"]);
  storage.clear();
});
