export interface BackoffOptions {
  /** Milliseconds of the first wait, before jitter. */
  minDelayMs: number;
  /** Milliseconds that no wait exceeds. */
  maxDelayMs: number;
}

/**
 * Milliseconds to wait before attempt `attempt` (0 is the first retry): doubles from minDelayMs up
 * to maxDelayMs, of which the upper half is random. Clients that were cut off together so come
 * back spread out, and none hammers: the lower half is always waited.
 */
export function backoffDelay(
  attempt: number,
  options: BackoffOptions,
  random: () => number = Math.random,
): number {
  const full = Math.min(options.maxDelayMs, options.minDelayMs * 2 ** Math.min(attempt, 30));
  return Math.round(full / 2 + (full / 2) * random());
}
