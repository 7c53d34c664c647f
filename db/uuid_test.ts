import assert from "node:assert/strict";
import { uuidv7 } from "./uuid.ts";

Deno.test("uuidv7() makes version 7 ids that sort by creation and do not repeat", () => {
  const ids = Array.from({ length: 20_000 }, () => uuidv7());
  const form = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
  assert.ok(ids.every((id) => form.test(id)));
  assert.deepEqual(ids, ids.toSorted());
  assert.equal(new Set(ids).size, ids.length);
});

Deno.test("uuidv7() starts with the time in milliseconds", () => {
  const far = Date.UTC(2100, 0, 1);
  const id = uuidv7(() => far);
  assert.equal(parseInt(id.replaceAll("-", "").slice(0, 12), 16), far);
});
