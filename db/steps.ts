/** Parts of migrations that may take long, while others write; see migrate.ts. */
import { type Kysely, sql } from "kysely";

/**
 * A part of a migration that may take long, outside of a transaction, while older nodes write. After
 * an interruption it is repeated from its beginning, so it has to be idempotent.
 *
 * @returns false when it has to be called again, such as after one batch of several.
 */
export type Step = (db: Kysely<unknown>) => Promise<boolean | void>;

/**
 * A step that creates an index while others write.
 *
 * @param name of the index
 * @param definition what follows the name: `on chat_messages (conversation_id)`
 */
export function buildIndex(name: string, definition: string, { unique = false } = {}): Step {
  return async (db) => {
    const { rows } = await sql<{ valid: boolean }>`select indisvalid as valid from pg_index
      where indexrelid = to_regclass(${name})`.execute(db);
    if (rows[0]?.valid === true) return;
    await db.connection().execute(async (one) => {
      const before = await setTimeouts(one, { statement_timeout: "0", lock_timeout: "0" });
      try {
        // An interrupted build has left an invalid index.
        if (rows.length > 0) {
          await sql`drop index concurrently if exists ${sql.id(name)}`.execute(one);
        }
        const kind = sql.raw(unique ? "unique index" : "index");
        await sql`create ${kind} concurrently if not exists ${sql.id(name)} ${sql.raw(definition)}`
          .execute(one);
      } finally {
        await setTimeouts(one, before).catch(() => {});
      }
    });
  };
}

/** Sets timeouts of a connection; returns the values before. */
async function setTimeouts<T extends { [name: string]: string }>(
  db: Kysely<unknown>,
  values: T,
): Promise<T> {
  const before: { [name: string]: string } = {};
  for (const [name, value] of Object.entries(values)) {
    const { rows } = await sql<{ was: string }>`select current_setting(${name}) as was`.execute(db);
    before[name] = rows[0]!.was;
    await sql`select set_config(${name}, ${value}, false)`.execute(db);
  }
  return before as T;
}

/**
 * A step that changes many rows, some at a time, so that nobody waits long for a row.
 *
 * @param change changes at most `limit` rows that need it, and returns how many it has found
 */
export function inBatches(
  change: (db: Kysely<unknown>, limit: number) => Promise<number>,
  limit = 5000,
): Step {
  return async (db) => await change(db, limit) < limit;
}
