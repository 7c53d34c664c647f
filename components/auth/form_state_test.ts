import assert from "node:assert/strict";
import { ApiError } from "../live/api.ts";
import { formErrors } from "./form_state.ts";

Deno.test("errors go to the fields that the form has, the rest to the form", () => {
  const error = new ApiError(422, {
    fields: [
      { path: "email", message: "Invalid email address" },
      { path: "email", message: "second" },
      { path: "", message: "must be an object" },
    ],
  });
  assert.deepEqual(formErrors(error, ["email"]), {
    fields: { email: "Invalid email address." },
    form: "Must be an object.",
  });
});

Deno.test("a rate limit says how long to wait", () => {
  const error = new ApiError(429, { code: "rate_limited", retryAfter: 20_000 });
  assert.equal(
    formErrors(error, []).form,
    "Too many requests. Try again in 20 seconds.",
  );
});
