/** Says once that something is away, and once that it is back. */

export interface OutageOptions {
  /** @param reason of the first failure */
  onLost: (reason: unknown) => void;
  /** @param ms from the first failure to the recovery */
  onBack: (ms: number) => void;
  /** Milliseconds without a failure until it counts as back, so that many short cuts are one. */
  stableMs?: number;
  now?: () => number;
}

export interface Outage {
  /** It works; call as often as it is seen. */
  up(): void;
  /** It does not; call for every failure. */
  down(reason: unknown): void;
  close(): void;
}

export function createOutage(options: OutageOptions): Outage {
  const { onLost, onBack, stableMs = 1000, now = Date.now } = options;
  let since: number | null = null;
  let stable: ReturnType<typeof setTimeout> | undefined;

  function forget(): void {
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
      forget();
      if (since !== null) return;
      since = now();
      onLost(reason);
    },
    close: forget,
  };
}
