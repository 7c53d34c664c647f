import assert from "node:assert/strict";
import { SeriesQuery } from "./analytics.ts";

Deno.test("a range lies between the years 1900 and 2200, the second not included", () => {
  const badOf = (from: string, to: string) =>
    SeriesQuery.safeParse({ metric: "messages_in", from, to }).error?.issues
      .map(({ path, message }) => `${path.join(".")} ${message}`);
  const wrong = "must be between 1900 and 2200";
  assert.equal(badOf("1900-01-01T00:00:00Z", "2199-12-31T23:59:59Z"), undefined);
  assert.deepEqual(badOf("1899-12-31T23:59:59Z", "2026-01-01T00:00:00Z"), [`from ${wrong}`]);
  assert.deepEqual(badOf("2026-01-01T00:00:00Z", "2200-01-01T00:00:00Z"), [`to ${wrong}`]);
  // The year is that of UTC.
  assert.equal(badOf("1899-12-31T23:00:00-01:00", "2200-01-01T00:00:00+01:00"), undefined);
  assert.deepEqual(badOf("1900-01-01T00:00:00+01:00", "2199-12-31T23:00:00-01:00"), [
    `from ${wrong}`,
    `to ${wrong}`,
  ]);
});
