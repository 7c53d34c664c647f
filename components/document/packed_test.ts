import assert from "node:assert/strict";
import { pack, unpack } from "./packed.ts";

Deno.test("packed text has no dollar sign and unpacks to the same value", () => {
  const value = { text: "$& $` $' $$ $1 \\$ \\u0024 </head>", cents: ["$5"], nothing: null };
  const packed = pack(value);
  assert.equal(packed.includes("$"), false);
  assert.deepEqual(unpack(packed), value);
});
