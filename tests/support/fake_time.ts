/** Timers and clocks that move only when a test says so. */

interface Timer {
  due: number;
  /** Null: once. */
  every: number | null;
  fn: () => void;
}

export interface FakeTime {
  /** Moves the clocks on, and calls what is due meanwhile, in order, each at its own time. */
  pass(ms: number): Promise<void>;
}

/** Runs it with timers and clocks that stand still; afterwards the real ones are back. */
export async function withFakeTime(fn: (time: FakeTime) => void | Promise<void>): Promise<void> {
  const { setTimeout, clearTimeout, setInterval, clearInterval } = globalThis;
  const dateNow = Date.now;
  const performanceNow = performance.now;
  let now = dateNow();
  let next = 1;
  const timers = new Map<number, Timer>();
  const add = (fn: () => void, ms: number, every: number | null) => {
    timers.set(next, { due: now + Math.max(0, ms), every, fn });
    return next++;
  };
  const remove = (id: number) => void timers.delete(id);

  /** The one that is due first, and of those that are due at once the oldest. */
  function first(until: number): [number, Timer] | null {
    const due = [...timers].filter(([, timer]) => timer.due <= until);
    due.sort(([a, one], [b, two]) => one.due - two.due || a - b);
    return due[0] ?? null;
  }

  Object.assign(globalThis, {
    setTimeout: (fn: () => void, ms = 0) => add(fn, ms, null),
    setInterval: (fn: () => void, ms = 0) => add(fn, ms, Math.max(1, ms)),
    clearTimeout: remove,
    clearInterval: remove,
  });
  Date.now = () => now;
  performance.now = () => now;
  try {
    await fn({
      async pass(ms) {
        const until = now + ms;
        for (let found = first(until); found !== null; found = first(until)) {
          const [id, timer] = found;
          now = timer.due;
          if (timer.every === null) timers.delete(id);
          else timer.due += timer.every;
          timer.fn();
          // What waits for it goes on before the next one is due.
          for (let i = 0; i < 10; i++) await Promise.resolve();
        }
        now = until;
      },
    });
  } finally {
    Object.assign(globalThis, { setTimeout, clearTimeout, setInterval, clearInterval });
    Date.now = dateNow;
    performance.now = performanceNow;
  }
}
