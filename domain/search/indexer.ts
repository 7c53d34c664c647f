/** Adds messages to the search index after they are stored. */
import { sql } from "kysely";
import type { Db } from "../../db/database.ts";
import type { EventBus } from "../events.ts";

export interface SearchIndexer {
  /** Resolves when a running step is done. */
  stop(): Promise<void>;
}

export interface SearchIndexerOptions {
  db: Db;
  bus: EventBus;
  /** Messages of one step, which is a transaction. */
  step: number;
  /**
   * Whether the disk has room for entries, of which a step may write many. Without it messages wait,
   * and the search compares the newest of them one by one. Default: always.
   */
  hasSpace?: () => boolean;
  onError: (error: unknown) => void;
}

/** Milliseconds from a message to the step that indexes it, and all that arrive meanwhile. */
const DELAY_MS = 1000;
/** How often to poll for messages that other programs or a dead node have stored. */
const POLL_MS = 5000;
/** The pause between two steps, as a multiple of the time that a step took. */
const REST = 3;
const MIN_REST_MS = 20;

export function createSearchIndexer(options: SearchIndexerOptions): SearchIndexer {
  const { db, bus, step, hasSpace = () => true, onError } = options;
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
    // A step that was not full has indexed everything, so new messages are collected again.
    const rest = indexed >= step ? Math.max(MIN_REST_MS, took * REST) : DELAY_MS;
    schedule(indexed > 0 ? rest : POLL_MS);
  }

  function schedule(ms: number): void {
    clearTimeout(next);
    if (stopped) return;
    next = setTimeout(() => {
      if (hasSpace()) working ??= work();
      else schedule(POLL_MS);
    }, ms);
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
