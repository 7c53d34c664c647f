import { ParleyError } from "../../protocol/errors.ts";

/** Entries that are neither stored nor refused, and their deadlines. */
export interface PendingEntries<T> {
  add(entry: T): void;
  has(entry: T): boolean;
  waitedMs(entry: T): number;
  /** The entry is stored, or refused otherwise. @returns false where it was refused before. */
  remove(entry: T): boolean;
  /** Refuses those of them that are still pending. */
  refuse(entries: readonly T[], error: unknown): void;
  /** Refuses overdue entries, with this error or as `unavailable`. */
  expire(error: unknown): void;
  /** Refuses overdue entries from now on, until `unwatch()` or until nothing is pending. */
  watch(): void;
  unwatch(): void;
}

export interface PendingOptions {
  /** What is stored, in the words of an error: "the change". */
  what: string;
  patienceMs: number;
  /** Whether nothing is being stored, so that nothing can become overdue. */
  isIdle(): boolean;
  /** Called after entries may have been refused. */
  onExpired(): void;
}

/** How often overdue entries are looked for, once something has gone wrong. */
const CHECK_MS = 100;

export function createPendingEntries<T extends { reject(error: unknown): void }>(
  { what, patienceMs, isIdle, onExpired }: PendingOptions,
): PendingEntries<T> {
  const arrivals = new Map<T, number>();
  let timer: ReturnType<typeof setInterval> | undefined;

  function unwatch(): void {
    clearInterval(timer);
    timer = undefined;
  }

  function expire(error: unknown): void {
    const limit = performance.now() - patienceMs;
    for (const [entry, at] of arrivals) {
      // Maps keep the order of insertion, which is the order of arrival.
      if (at > limit) break;
      arrivals.delete(entry);
      entry.reject(
        error ?? new ParleyError("unavailable", `Cannot store ${what}: it takes too long`, {
          retryAfter: 1000,
        }),
      );
    }
    onExpired();
  }

  return {
    add: (entry) => void arrivals.set(entry, performance.now()),
    has: (entry) => arrivals.has(entry),
    waitedMs: (entry) => performance.now() - arrivals.get(entry)!,
    remove: (entry) => arrivals.delete(entry),
    refuse(entries, error) {
      for (const entry of entries) {
        if (arrivals.delete(entry)) entry.reject(error);
      }
    },
    expire,
    watch() {
      timer ??= setInterval(() => {
        if (arrivals.size === 0 || isIdle()) unwatch();
        else expire(null);
      }, CHECK_MS);
    },
    unwatch,
  };
}
