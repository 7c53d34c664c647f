const MINUTE = 60_000;

/**
 * The server's token bucket, kept a second time: so many commands at once, refilled evenly over a
 * minute. A client that looks here first waits by itself instead of being refused.
 */
export function createRateBucket(now: () => number = Date.now) {
  let capacity = 0;
  let tokens = 0;
  let at = 0;

  function refill() {
    // A clock that was set back refills nothing.
    const elapsed = Math.max(0, now() - at);
    tokens = Math.min(capacity, tokens + elapsed * capacity / MINUTE);
    at = now();
  }
  return {
    /** A new connection begins with a full bucket, there as here. */
    fill(perMinute: number) {
      capacity = tokens = perMinute;
      at = now();
    },
    /** Milliseconds until the next command may go, 0 for now. */
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
