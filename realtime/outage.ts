/** Reports the begin of an outage once, and its end once. */

export interface OutageOptions {
  /** @param reason of the first failure */
  onLost: (reason: unknown) => void;
  /** @param ms from the first failure to the recovery */
  onBack: (ms: number) => void;
  /** Milliseconds without a failure until the outage is over, so that many short ones are one. */
  stableMs?: number;
  now?: () => number;
}

export interface Outage {
  /** It works. May be called any number of times. */
  up(): void;
  /** It failed. May be called for every failure. */
  down(reason: unknown): void;
  close(): void;
}

export function createOutage(options: OutageOptions): Outage {
  const { onLost, onBack, stableMs = 1000, now = Date.now } = options;
  let since: number | null = null;
  let stable: ReturnType<typeof setTimeout> | undefined;

  function clear(): void {
    clearTimeout(stable);
    stable = undefined;
  }

  return {
    up() {
      if (since === null || stable !== undefined) return;
      const ms = now() - since;
      stable = setTimeout(() => {
        stable = undefined;
        since = null;
        onBack(ms);
      }, stableMs);
    },
    down(reason) {
      clear();
      if (since !== null) return;
      since = now();
      onLost(reason);
    },
    close: clear,
  };
}
