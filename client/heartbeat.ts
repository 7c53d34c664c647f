export interface Heartbeat {
  /** Anything arrived: the peer is alive. */
  heard(): void;
  /** Asks at once, and declares the connection dead when nothing arrives within `deadlineMs`. */
  check(deadlineMs: number): void;
  stop(): void;
}

/**
 * Browsers answer a server's pings without telling the page, and a network that vanished says
 * nothing at all, so the client listens for silence itself: after `intervalMs` without a frame it
 * calls `ping`, after as long again `dead`. A late timer (a throttled background tab, a laptop that
 * slept) first pings and never declares death on the clock's word alone.
 */
export function createHeartbeat(
  intervalMs: number,
  ping: () => void,
  dead: () => void,
  now: () => number = Date.now,
): Heartbeat {
  let heardAt = now();
  let waiting = false;
  let timer: ReturnType<typeof setTimeout> | undefined;

  function arm(ms: number) {
    clearTimeout(timer);
    timer = setTimeout(tick, ms);
  }
  function ask(deadlineMs: number) {
    waiting = true;
    arm(deadlineMs);
    ping();
  }
  function tick() {
    if (waiting) return dead();
    const silence = now() - heardAt;
    if (silence >= intervalMs) ask(intervalMs);
    else arm(intervalMs - silence);
  }

  arm(intervalMs);
  return {
    heard() {
      heardAt = now();
      if (!waiting) return;
      waiting = false;
      arm(intervalMs);
    },
    check: ask,
    stop: () => clearTimeout(timer),
  };
}
