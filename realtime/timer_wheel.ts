/**
 * All timers of the hub on one interval: authentication deadlines, token ends, typing, presence
 * grace. Ten thousand pending timers cost one wake-up a tick, and none at all when there are none.
 */
export interface TimerWheel {
  /** Calls back once after `ms` milliseconds, within one tick's exactness. Returns the cancel. */
  after(ms: number, callback: () => void): () => void;
  /** Forgets all timers, and takes none any more. */
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

  function turn(): void {
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
      // What a connection that ends later still asks for would meet closed parts.
      if (stopped) return () => {};
      if (interval === undefined) {
        done = current();
        interval = setInterval(turn, tickMs);
      }
      const at = Math.max(done, current()) + Math.max(1, Math.ceil(ms / tickMs));
      const slot = slots.get(at) ?? new Set();
      slots.set(at, slot);
      // A wrapper, so that the same function scheduled twice is two timers.
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
