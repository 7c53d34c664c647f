/** What the engine needs of timers. */
export interface Timers {
  /** Calls back once after `ms` milliseconds. Returns the function that cancels it. */
  after(ms: number, callback: () => void): () => void;
}

/** A `setTimeout` for each timer. What a callback throws goes to `onError`. */
export function createTimers(onError: (error: unknown) => void): Timers {
  return {
    after(ms, callback) {
      const timer = setTimeout(() => {
        try {
          callback();
        } catch (error) {
          onError(error);
        }
      }, ms);
      return () => clearTimeout(timer);
    },
  };
}
