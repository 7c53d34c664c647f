import assert from "node:assert/strict";
import { ApiError, errorText } from "./api.ts";

Deno.test("what does not exist any more is said without its id", () => {
  const detail = 'Cannot find the conversation "0198c2d4-0000-7000-8000-000000000001"';
  const text = errorText(new ApiError(404, { code: "not_found", detail }));
  assert.equal(text, "This does not exist any more. Somebody may have deleted it.");
});
