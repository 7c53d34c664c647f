/**
 * All timers of the hub on one interval: authentication deadlines, token expiry, typing, presence.
 * Thousands of pending timers cost one wake-up for each tick, and none while no timer is pending.
 */
export interface TimerWheel {
  /** Calls back once after `ms` milliseconds, up to one tick later. Returns the cancel function. */
  after(ms: number, callback: () => void): () => void;
  /** Cancels all timers, and accepts no new ones. */
  stop(): void;
}

export function createTimerWheel(
  options: { tickMs?: number; onError?: (error: unknown) => void } = {},
): TimerWheel {
  const { tickMs = 50, onError } = options;
  const slots = new Map<number, Set<() => void>>();
  const start = performance.now();
  let done = 0;
  let stopped = false;
  let interval: ReturnType<typeof setInterval> | undefined;

  const current = () => Math.floor((performance.now() - start) / tickMs);

  function tick(): void {
    const until = current();
    for (; done <= until; done++) {
      const slot = slots.get(done);
      if (slot === undefined) continue;
      slots.delete(done);
      for (const callback of slot) {
        try {
          callback();
        } catch (error) {
          onError?.(error);
        }
      }
    }
    if (slots.size === 0) halt();
  }

  function halt(): void {
    clearInterval(interval);
    interval = undefined;
  }

  return {
    after(ms, callback) {
      // A connection that ends later may still set timers; the modules that they call are closed.
      if (stopped) return () => {};
      if (interval === undefined) {
        done = current();
        interval = setInterval(tick, tickMs);
      }
      const at = Math.max(done, current()) + Math.max(1, Math.ceil(ms / tickMs));
      const slot = slots.get(at) ?? new Set();
      slots.set(at, slot);
      // A wrapper, so that one function scheduled twice is two timers.
      const entry = () => callback();
      slot.add(entry);
      return () => {
        slot.delete(entry);
        if (slot.size === 0 && slots.get(at) === slot) slots.delete(at);
      };
    },
    stop() {
      stopped = true;
      slots.clear();
      halt();
    },
  };
}
