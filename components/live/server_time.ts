/**
 * The server's time. The clock of a device may be wrong by minutes or days, so nothing here compares
 * a time of the server with `Date.now()`.
 */

/** Milliseconds; smaller differences are the way of the message, not the clock. */
const TOLERANCE_MS = 2_000;

let offset = 0;
const listeners = new Set<() => void>();

/** Milliseconds since 1970 by the server's clock, as of the last message from it. */
export function serverNow(): number {
  return Date.now() + offset;
}

/** A time that this device wrote down by its own clock, by the server's. */
export function toServerTime(iso: string): string {
  return offset === 0 ? iso : new Date(Date.parse(iso) + offset).toISOString();
}

/** Takes a time that the server has just sent: ISO 8601, or an HTTP date. Others are ignored. */
export function noteServerTime(time: string | null | undefined): void {
  const difference = Date.parse(time ?? "") - serverNow();
  if (Number.isNaN(difference) || Math.abs(difference) <= TOLERANCE_MS) return;
  offset += difference;
  for (const listener of listeners) listener();
}

/** Calls it when the difference has changed. Returns a function that ends that. */
export function onServerTime(listener: () => void): () => void {
  listeners.add(listener);
  return () => void listeners.delete(listener);
}
