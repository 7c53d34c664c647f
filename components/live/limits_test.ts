import assert from "node:assert/strict";
import * as protocol from "../../protocol/native.ts";
import { MAX_CONTENT } from "./limits.ts";

Deno.test("the page's limits are the protocol's", () => {
  assert.equal(MAX_CONTENT, protocol.MAX_CONTENT);
});
