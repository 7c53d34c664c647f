/**
 * What autovacuum does on a server, for the embedded database, which has none: gives the place of
 * dead rows back, and gathers the statistics that plans are made of. Each table takes the engine for
 * itself meanwhile, so it is done when nobody writes, and otherwise only when it is overdue.
 */
import { sql } from "kysely";
import type { Db } from "./database.ts";

export interface Housekeeping {
  /** Resolves when the table that is being worked on is done. */
  stop(): Promise<void>;
}

export interface HousekeepingOptions {
  db: Db;
  /** Whether nobody waits for the database. */
  isQuiet: () => boolean;
  onError: (error: unknown) => void;
  /** Milliseconds between two looks. */
  everyMs?: number;
}

const EVERY_MS = 10_000;

/** Rows of a table that may be dead, or changed since it was analyzed: some, and a share of all. */
const LIMIT = { rows: 100, share: 0.1 };
/** So many times as much is not left for a quiet moment. */
const OVERDUE = 5;

export function startHousekeeping(options: HousekeepingOptions): Housekeeping {
  const { db, isQuiet, onError, everyMs = EVERY_MS } = options;
  let stopped = false;
  let working: Promise<void> | null = null;

  async function work(): Promise<void> {
    while (!stopped) {
      const quiet = isQuiet();
      const table = await mostInNeed(db, quiet ? 1 : OVERDUE);
      if (table === null || stopped) return;
      await tidy(db, table);
    }
  }

  const timer = setInterval(() => {
    working ??= work().catch(onError).finally(() => working = null);
  }, everyMs);

  return {
    async stop() {
      stopped = true;
      clearInterval(timer);
      await working;
    },
  };
}

/** Of the tables that are so many times over their limit, the one that is furthest over it. */
export async function mostInNeed(db: Db, times = 1): Promise<string | null> {
  // A session counts its changes for itself, and tells them now and then.
  await sql`select pg_stat_force_next_flush()`.execute(db);
  const { rows: [most] } = await sql<{ name: string; over: number }>`
    select s.relname as name, greatest(
        s.n_dead_tup, s.n_mod_since_analyze, s.n_ins_since_vacuum
      ) / (${LIMIT.rows} + ${LIMIT.share} * greatest(c.reltuples, 0)) as over
    from pg_stat_user_tables s join pg_class c on c.oid = s.relid
    order by over desc limit 1`.execute(db);
  return most !== undefined && most.over > times ? most.name : null;
}

export async function tidy(db: Db, table: string): Promise<void> {
  await sql`vacuum (analyze) ${sql.table(table)}`.execute(db);
}
