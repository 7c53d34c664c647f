import assert from "node:assert/strict";
import fc from "fast-check";
import { bucketOf, countBuckets, quantile, readHistograms, valueOf } from "./histogram.ts";

Deno.test("a percentile of the buckets is within 4.5 % of the one of the values", () => {
  const values = fc.array(fc.double({ min: 0.1001, max: 1e7, noNaN: true }), { minLength: 1 });
  fc.assert(fc.property(values, fc.constantFrom(0.5, 0.9, 0.95, 0.99), (list, q) => {
    const counts = new Map<number, number>();
    for (const value of list) {
      counts.set(bucketOf(value), (counts.get(bucketOf(value)) ?? 0) + 1);
    }
    const sorted = list.toSorted((a, b) => a - b);
    const exact = sorted[Math.max(0, Math.ceil(q * sorted.length) - 1)]!;
    const found = quantile(counts, q)!;
    assert.ok(Math.abs(found / exact - 1) < 0.045, `${found} for ${exact}`);
  }));
});

Deno.test("what cannot be measured is in a bucket all the same", () => {
  assert.deepEqual([0, -5, 0.1, NaN].map(bucketOf), [0, 0, 0, 0]);
  assert.equal(bucketOf(Infinity), bucketOf(1e12));
  assert.equal(valueOf(0), 0);
  assert.equal(quantile(new Map(), 0.5), null);
  assert.equal(quantile(new Map([[7, 0]]), 0.5), null);
});

Deno.test("histograms are added up as they are written", () => {
  assert.deepEqual(
    [...readHistograms('{"7": 2, "130": 15},{"7": 1},{"0": 1000000}')],
    [[7, 3], [130, 15], [0, 1_000_000]],
  );
  assert.equal(readHistograms("").size, 0);
  assert.deepEqual([...countBuckets("7,130,7")], [[7, 2], [130, 1]]);
});
