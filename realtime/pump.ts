/** A writer whose queue waits for room in its socket's buffer. */
export interface Pumped {
  /** Characters that wait. */
  readonly queued: number;
  /** Sends as much as the socket accepts. @returns true when nothing waits any more */
  pump(): boolean;
}

/** Milliseconds until a writer is tried again whose reader has just read something. */
const QUICK_MS = 1;
/** The same if its reader has read nothing. */
const SLOW_MS = 20;

/**
 * Pumps writers until their queues are empty. The runtime does not report when a socket's buffer
 * has room, so writers are tried on a timer: each millisecond while the reader reads, so that it
 * gets the rate of its network, and rarely while it does not, so that thousands of those cost
 * little.
 */
export function createPump(later: (callback: () => void, ms: number) => () => void = timeout) {
  const quick = new Set<Pumped>();
  const slow = new Set<Pumped>();
  const cancels = new Map<Set<Pumped>, () => void>();

  function add(group: Set<Pumped>, writer: Pumped): void {
    group.add(writer);
    if (cancels.has(group)) return;
    cancels.set(group, later(() => tick(group), group === quick ? QUICK_MS : SLOW_MS));
  }

  function tick(group: Set<Pumped>): void {
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
