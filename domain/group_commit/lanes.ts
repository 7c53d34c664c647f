/**
 * Lanes: entries of one key that wait for somebody else's lock, apart from all others, so that they
 * do not delay them.
 */
export interface Lanes<T> {
  /** Lanes that are not empty. */
  readonly size: number;
  /** Entries that wait in lanes. */
  readonly pending: number;
  /** Opens a lane for each of these keys; their later entries have to be pushed to it. */
  open(entries: readonly T[]): void;
  /** Appends to the lane of the entry's key. @returns false where there is none. */
  push(entry: T): boolean;
  /** Resolves when the lanes that are being stored now are done. */
  running(): Promise<unknown>;
}

export interface LanesOptions<T> {
  keyOf: (entry: T) => string;
  maxBatch: number;
  /** Stores the entries, and waits for locks. */
  store(batch: readonly T[]): Promise<unknown>;
}

/** Lanes that wait in the database at a time: each takes a connection. */
const MAX_RUNNING = 3;

export function createLanes<T>({ keyOf, maxBatch, store }: LanesOptions<T>): Lanes<T> {
  const lanes = new Map<string, T[]>();
  const queued: string[] = [];
  const running = new Set<Promise<void>>();

  function start(): void {
    while (running.size < MAX_RUNNING && queued.length > 0) {
      const work = run(queued.shift()!).finally(() => {
        running.delete(work);
        start();
      });
      running.add(work);
    }
  }

  async function run(key: string): Promise<void> {
    const lane = lanes.get(key)!;
    while (lane.length > 0) await store(lane.splice(0, maxBatch));
    lanes.delete(key);
  }

  return {
    get size() {
      return lanes.size;
    },
    get pending() {
      let count = 0;
      for (const lane of lanes.values()) count += lane.length;
      return count;
    },
    open(entries) {
      for (const [key, own] of Map.groupBy(entries, keyOf)) {
        lanes.set(key, own);
        queued.push(key);
      }
      // Not before the caller has moved its waiting entries behind these.
      queueMicrotask(start);
    },
    push(entry) {
      const lane = lanes.size === 0 ? undefined : lanes.get(keyOf(entry));
      lane?.push(entry);
      return lane !== undefined;
    },
    running: () => Promise.all(running),
  };
}
