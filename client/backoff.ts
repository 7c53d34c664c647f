export interface BackoffOptions {
  /** Milliseconds of the first wait, before jitter. */
  minDelayMs: number;
  /** Upper bound of every wait, in milliseconds. */
  maxDelayMs: number;
}

/**
 * Milliseconds to wait before attempt `attempt` (0 is the first retry). The full wait doubles from
 * minDelayMs up to maxDelayMs. Its upper half is random, so that clients that were disconnected
 * together reconnect spread out; its lower half is always waited.
 */
export function backoffDelay(
  attempt: number,
  options: BackoffOptions,
  random: () => number = Math.random,
): number {
  const full = Math.min(options.maxDelayMs, options.minDelayMs * 2 ** Math.min(attempt, 30));
  return Math.round(full / 2 + (full / 2) * random());
}
