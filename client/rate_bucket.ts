const MINUTE = 60_000;

/**
 * A copy of the server's token bucket: a number of commands at once, refilled evenly over a minute.
 * A client that checks it first waits instead of being refused.
 */
export function createRateBucket(now: () => number = Date.now) {
  let capacity = 0;
  let tokens = 0;
  let at = 0;

  function refill() {
    // After the clock was set back, nothing is refilled.
    const elapsed = Math.max(0, now() - at);
    tokens = Math.min(capacity, tokens + elapsed * capacity / MINUTE);
    at = now();
  }
  return {
    /** A new connection begins with a full bucket, as on the server. */
    fill(perMinute: number) {
      capacity = tokens = perMinute;
      at = now();
    },
    /** Milliseconds until the next command may be sent, 0 for now. */
    waitMs(): number {
      refill();
      return tokens >= 1 ? 0 : Math.ceil((1 - tokens) * MINUTE / capacity);
    },
    take() {
      refill();
      tokens--;
    },
  };
}
