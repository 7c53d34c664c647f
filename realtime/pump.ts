/** What waits for room in its socket's buffer. */
export interface Pumped {
  /** Characters that wait. */
  readonly queued: number;
  /** Sends what the socket takes. @returns true when nothing waits any more */
  pump(): boolean;
}

/** Milliseconds until a reader that has just taken something is tried again. */
const QUICK_MS = 1;
/** And one that has taken nothing. */
const SLOW_MS = 20;

/**
 * Tries queued writers again. The runtime does not say when a socket's buffer has room, so they are
 * tried on a timer: a reader that keeps up each millisecond, so that its rate is that of the
 * network, and one that takes nothing rarely, so that ten thousand of those cost little.
 */
export function createPump(later: (callback: () => void, ms: number) => () => void = timeout) {
  const quick = new Set<Pumped>();
  const slow = new Set<Pumped>();
  const cancels = new Map<Set<Pumped>, () => void>();

  function add(group: Set<Pumped>, writer: Pumped): void {
    group.add(writer);
    if (cancels.has(group)) return;
    cancels.set(group, later(() => turn(group), group === quick ? QUICK_MS : SLOW_MS));
  }

  function turn(group: Set<Pumped>): void {
    cancels.delete(group);
    const writers = [...group];
    group.clear();
    for (const writer of writers) {
      const before = writer.queued;
      if (!writer.pump()) add(writer.queued < before ? quick : slow, writer);
    }
  }

  return {
    /** Tries the writer until nothing waits. */
    add(writer: Pumped): void {
      if (!slow.has(writer)) add(quick, writer);
    },

    stop(): void {
      for (const cancel of cancels.values()) cancel();
      cancels.clear();
      quick.clear();
      slow.clear();
    },
  };
}

function timeout(callback: () => void, ms: number): () => void {
  const timer = setTimeout(callback, ms);
  return () => clearTimeout(timer);
}
