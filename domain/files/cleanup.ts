/** Removes what is not needed any more: uploads that were never sent, and bytes whose row is gone. */
import type { Db } from "../../db/database.ts";
import { deleteUnsent, forgetRemovals, takeRemovals } from "./queries.ts";
import type { FileStore } from "./store.ts";

export interface CleanupOptions {
  db: Db;
  store: FileStore;
  /** Milliseconds after which an upload that was not sent is deleted. */
  keepUnsentMs: number;
  onError: (error: unknown) => void;
}

export interface Cleanup {
  wake(): void;
  stop(): Promise<void>;
}

const EVERY_MS = 30_000;
/** After a deletion, and for all that follow soon. */
const SOON_MS = 500;
/** Rows and files of one step. */
const STEP = 200;
/** For which a node has a step to itself; when it dies, another one does it again. */
const TAKEN_MS = 60_000;

/** On every node; no two do the same step at a time. */
export function startCleanup({ db, store, keepUnsentMs, onError }: CleanupOptions): Cleanup {
  let working: Promise<void> | null = null;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let at = Infinity;
  let stopped = false;

  async function work(): Promise<void> {
    while (await deleteUnsent(db, keepUnsentMs, STEP) === STEP && !stopped);
    while (!stopped) {
      const keys = await takeRemovals(db, TAKEN_MS, STEP);
      if (keys.length === 0) return;
      await store.remove(keys);
      await forgetRemovals(db, keys);
    }
  }

  function schedule(ms: number): void {
    if (stopped || performance.now() + ms >= at) return;
    at = performance.now() + ms;
    clearTimeout(timer);
    timer = setTimeout(() => {
      at = Infinity;
      working = (working ?? Promise.resolve()).then(work).catch(onError)
        .finally(() => schedule(EVERY_MS));
    }, ms);
  }

  // What a stop left over is not kept for longer.
  schedule(SOON_MS);
  return {
    wake: () => schedule(SOON_MS),
    async stop() {
      stopped = true;
      clearTimeout(timer);
      await working;
    },
  };
}
