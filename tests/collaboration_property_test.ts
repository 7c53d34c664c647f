/** SHARED_TEXT_RUNS and SHARED_TEXT_SEED repeat what a failure names, or run more. */
import assert from "node:assert/strict";
import { runCourse } from "./support/shared_text.ts";

const RUNS = Number(Deno.env.get("SHARED_TEXT_RUNS") ?? 300);
const SEED = Number(Deno.env.get("SHARED_TEXT_SEED") ?? Math.floor(Math.random() * 2 ** 31));

Deno.test(`${RUNS} courses of 2 to 8 clients who edit at once over a bad network end in one text, from seed ${SEED}`, () => {
  const sum = { clients: 0, edits: 0, lost: 0, resent: 0, reloaded: 0 };
  for (let i = 0; i < RUNS; i++) {
    const course = runCourse(SEED + i);
    for (const key of Object.keys(sum) as (keyof typeof sum)[]) sum[key] += course[key];
  }
  // Otherwise nothing was tried.
  if (RUNS >= 100) {
    for (const [what, count] of Object.entries(sum)) {
      assert.ok(count > RUNS / 10, `${what}: ${count}`);
    }
  }
});
