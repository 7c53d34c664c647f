import assert from "node:assert/strict";
import { activityText } from "./activity_text.ts";

Deno.test("the time of an activity line is in the reader's zone", () => {
  const clock = { now: Date.parse("2026-11-30T08:00:00Z"), zone: "Europe/Berlin", locale: "en-GB" };
  assert.equal(
    activityText("Ada snoozed the conversation until 2026-12-01 08:00 UTC", clock),
    "Ada snoozed the conversation until 1 Dec 2026, 09:00",
  );
  assert.equal(activityText("Ada took the conversation", clock), "Ada took the conversation");
});
