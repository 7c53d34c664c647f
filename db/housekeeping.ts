/**
 * What autovacuum does on a server, for the embedded database, which has none: gives the place of
 * dead rows back, and gathers the statistics that plans are made of. Each table takes the engine for
 * itself meanwhile, so it is done when nobody writes, and otherwise only when it is overdue.
 */
import { sql } from "kysely";
import type { Db } from "./types.ts";

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
/** While somebody writes, so many times as much is left for later, and every table with more pages. */
const BUSY = { times: 5, pages: 2000 };
/** Past that a table is not left for later, whatever its size: reading it takes longer and longer. */
const BLOATED = 50;

/** What a table needs. */
export interface Need {
  table: string;
  work: "vacuum" | "analyze";
}

export function startHousekeeping(options: HousekeepingOptions): Housekeeping {
  const { db, isQuiet, onError, everyMs = EVERY_MS } = options;
  let stopped = false;
  let working: Promise<void> | null = null;

  async function work(): Promise<void> {
    while (!stopped) {
      const need = await mostInNeed(db, isQuiet());
      if (need === null || stopped) return;
      await tidy(db, need);
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

/** What is most needed now; statistics are gathered when it is quiet. */
export async function mostInNeed(db: Db, isQuiet = true): Promise<Need | null> {
  // A session counts its changes for itself, and tells them now and then.
  await sql`select pg_stat_force_next_flush()`.execute(db);
  const { rows: [most] } = await sql<Need>`
    select n.name as table, n.work from pg_stat_user_tables s join lateral (
        select greatest(reltuples, 0) as rows, relpages from pg_class where oid = s.relid
      ) c on true cross join lateral (values
        (s.relname, 'vacuum', s.n_dead_tup / (${LIMIT.rows} + ${LIMIT.share} * c.rows)),
        (s.relname, 'analyze', s.n_mod_since_analyze / (${LIMIT.rows} + ${LIMIT.share} * c.rows))
      ) n(name, work, over)
    where case when ${isQuiet} then n.over > 1
      else n.work = 'vacuum' and (n.over > ${BLOATED}
        or n.over > ${BUSY.times} and c.relpages < ${BUSY.pages}) end
    order by n.over desc limit 1`.execute(db);
  return most ?? null;
}

export async function tidy(db: Db, { table, work }: Need): Promise<void> {
  await sql`${sql.raw(work)} ${sql.table(table)}`.execute(db);
}
