/** Puts the words of messages into the search index, after they were stored. */
import { sql } from "kysely";
import type { Db } from "../../db/database.ts";
import type { EventBus } from "../events.ts";

export interface SearchIndexer {
  /** Resolves when a step that was begun is done. */
  stop(): Promise<void>;
}

export interface SearchIndexerOptions {
  db: Db;
  bus: EventBus;
  /** Messages of one step; each is a transaction. */
  step: number;
  onError: (error: unknown) => void;
}

/** Milliseconds from a message to the step that indexes it, and all others that came meanwhile. */
const DELAY_MS = 1000;
/** How often it is looked for what other programs have stored, or a node that died. */
const LOOK_MS = 5000;
/** Between two steps it rests so many times as long as a step took, and others get their turn. */
const REST = 3;
const MIN_REST_MS = 20;

export function createSearchIndexer(options: SearchIndexerOptions): SearchIndexer {
  const { db, bus, step, onError } = options;
  let working: Promise<void> | null = null;
  let next: ReturnType<typeof setTimeout> | undefined;
  let stopped = false;

  async function work(): Promise<void> {
    const start = performance.now();
    let indexed = 0;
    try {
      const { rows: [row] } = await sql<{ indexed: number }>`
        select index_messages(${step}::integer) as indexed`.execute(db);
      indexed = row!.indexed;
    } catch (error) {
      onError(error);
    }
    working = null;
    const took = performance.now() - start;
    // A step that was not full has left nothing: what comes is collected again.
    const rest = indexed >= step ? Math.max(MIN_REST_MS, took * REST) : DELAY_MS;
    schedule(indexed > 0 ? rest : LOOK_MS);
  }

  function schedule(ms: number): void {
    clearTimeout(next);
    if (stopped) return;
    next = setTimeout(() => working ??= work(), ms);
    soon = ms <= DELAY_MS;
  }

  let soon = false;
  const unsubscribe = bus.on("conversation.logged", () => {
    if (working === null && !soon) schedule(DELAY_MS);
  });
  schedule(DELAY_MS);

  return {
    async stop() {
      stopped = true;
      unsubscribe();
      clearTimeout(next);
      await working;
    },
  };
}
