import assert from "node:assert/strict";
import { KeyedLimiter, TokenBucket } from "./rate_limit.ts";

Deno.test("TokenBucket gives its capacity at once and then refills evenly", () => {
  const bucket = new TokenBucket(3, 60_000, 0);
  assert.deepEqual([bucket.take(0), bucket.take(0), bucket.take(0)], [0, 0, 0]);
  assert.equal(bucket.take(0), 20_000);
  assert.equal(bucket.take(5_000), 15_000);
  assert.equal(bucket.take(20_000), 0);
  assert.equal(bucket.take(20_000), 20_000);
  assert.deepEqual([1, 2, 3].map(() => bucket.take(600_000)), [0, 0, 0]);
  assert.equal(bucket.take(600_000), 20_000);
});

Deno.test("TokenBucket is not refilled by a clock that goes back", () => {
  const bucket = new TokenBucket(1, 1000, 10_000);
  assert.equal(bucket.take(10_000), 0);
  assert.ok(bucket.take(0) > 0);
});

Deno.test("KeyedLimiter keeps keys apart and its memory bounded", () => {
  let now = 0;
  const limiter = new KeyedLimiter(1, 1000, { maxKeys: 100, now: () => now });
  assert.equal(limiter.take("a"), 0);
  assert.equal(limiter.take("a"), 1000);
  assert.equal(limiter.take("b"), 0);
  for (let i = 0; i < 1000; i++) limiter.take(`k${i}`);
  assert.ok(limiter.size <= 100);
  now = 5000;
  assert.equal(limiter.take("k999"), 0);
});
