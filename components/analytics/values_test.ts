import assert from "node:assert/strict";
import { METRICS } from "../../protocol/analytics.ts";
import { bucketText, changeText, hourLabel, labelledBuckets, TITLES, valueText } from "./values.ts";

Deno.test("values are shown in their unit", () => {
  assert.equal(valueText(null, "count"), "–");
  assert.equal(valueText(0, "count"), "0");
  assert.equal(valueText(9999, "count"), "9,999");
  assert.equal(valueText(1_234_567, "count"), "1.2M");
  assert.equal(valueText(0.125, "share"), "12.5 %");
  assert.equal(valueText(4.25, "score"), "4.3");
  assert.equal(valueText(3.14, "milliseconds"), "3.1 ms");
  assert.equal(valueText(1500, "milliseconds"), "1.5 s");
  assert.deepEqual([0, 0.4, 59.6, 61, 3600, 5400, 90_000].map((one) => valueText(one, "seconds")), [
    "0 s",
    "< 1 s",
    "1 min",
    "1 min 1 s",
    "1 h",
    "1 h 30 min",
    "1 d 1 h",
  ]);
});

Deno.test("a change is shown where there was a value before", () => {
  assert.equal(changeText(112, 100), "+12 %");
  assert.equal(changeText(50, 100), "−50 %");
  assert.equal(changeText(100, 100), "as before");
  assert.equal(changeText(3, 0), null);
  assert.equal(changeText(null, 3), null);
});

Deno.test("every metric has its own title", () => {
  assert.equal(new Set(METRICS.map((name) => TITLES[name])).size, METRICS.length);
});

Deno.test("a bucket is named in the time of its zone", () => {
  const bucket = { start: "2026-11-20T18:15:00.000Z", end: "2026-11-21T18:15:00.000Z", value: 1 };
  const series = {
    metric: "messages_in" as const,
    unit: "count" as const,
    timeZone: "Asia/Kathmandu",
    interval: "day" as const,
    total: 1,
    buckets: [bucket],
    previous: null,
    parts: [],
  };
  assert.equal(bucketText(series, 0), "21 November");
  assert.equal(bucketText({ ...series, interval: "hour" }, 0), "21 November at 00:00");
  assert.equal(bucketText({ ...series, interval: "week" }, 0), "week of 21 November 2026");
  assert.equal(bucketText({ ...series, interval: "month" }, 0), "November 2026");
});

Deno.test("labels of the time axis are those of buckets, and none is there twice", () => {
  for (const width of [300, 700, 1100]) {
    for (const count of [0, 1, 2, 7, 24, 31, 48, 200]) {
      const labelled = labelledBuckets(count, width);
      assert.ok(labelled.length <= Math.max(1, width / 80), `${count} in ${width}`);
      assert.ok(labelled.every((index) => index < count));
      assert.equal(new Set(labelled).size, labelled.length);
      if (count > 0) assert.equal(labelled[0], 0);
    }
  }
  assert.deepEqual(labelledBuckets(3, 1100), [0, 1, 2]);
  const hours = Array.from(
    { length: 48 },
    (_, i) => hourLabel(new Date(Date.UTC(2026, 10, 23, i)).toISOString(), "UTC", "en-GB"),
  );
  assert.deepEqual([hours[0], hours[1], hours[24]], ["Mon 23", "1:00", "Tue 24"]);
});
