export interface Heartbeat {
  /** A frame arrived: the peer is alive. */
  received(): void;
  /**
   * Sends a ping at once, and calls `dead` when nothing arrives within `deadlineMs`; within
   * `SLEPT_MS` where nothing has arrived for so long that the peer is likely to have given up.
   */
  check(deadlineMs: number): void;
  stop(): void;
}

/** Milliseconds in which a connection that slept has to prove itself alive. */
const SLEPT_MS = 500;

/**
 * Browsers answer a server's pings without telling the page, and a network failure is silent, so
 * the client watches for silence itself: after `intervalMs` without a frame it calls `ping`, after
 * as long again `dead`. A timer that fires late (a throttled background tab, a laptop after sleep)
 * pings first and never calls `dead` because of the elapsed time alone.
 */
export function createHeartbeat(
  intervalMs: number,
  ping: () => void,
  dead: () => void,
  now: () => number = Date.now,
): Heartbeat {
  let receivedAt = now();
  let waiting = false;
  let timer: ReturnType<typeof setTimeout> | undefined;

  function arm(ms: number) {
    clearTimeout(timer);
    timer = setTimeout(tick, ms);
  }
  function probe(deadlineMs: number) {
    waiting = true;
    arm(deadlineMs);
    ping();
  }
  function tick() {
    if (waiting) return dead();
    const silence = now() - receivedAt;
    if (silence >= intervalMs) probe(intervalMs);
    else arm(intervalMs - silence);
  }

  arm(intervalMs);
  return {
    received() {
      receivedAt = now();
      if (!waiting) return;
      waiting = false;
      arm(intervalMs);
    },
    check(deadlineMs) {
      const slept = now() - receivedAt > 3 * intervalMs;
      probe(slept ? Math.min(SLEPT_MS, deadlineMs) : deadlineMs);
    },
    stop: () => clearTimeout(timer),
  };
}
