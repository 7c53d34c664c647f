import assert from "node:assert/strict";
import { nextWait } from "./listen.ts";

Deno.test("a lost connection is made again after waits that double up to a second", () => {
  assert.deepEqual([100, 200, 400, 800, 1000].map(nextWait), [200, 400, 800, 1000, 1000]);
});
