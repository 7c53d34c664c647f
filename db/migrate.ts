import { type Kysely, sql } from "kysely";
import type { Database } from "./types.ts";
import * as m001 from "./migrations/001_conversations.ts";
import * as m002 from "./migrations/002_store_functions.ts";
import * as m003 from "./migrations/003_contexts.ts";
import * as m004 from "./migrations/004_change_feed.ts";
import * as m005 from "./migrations/005_receipts.ts";
import * as m006 from "./migrations/006_notifications.ts";
import * as m007 from "./migrations/007_api.ts";
import * as m008 from "./migrations/008_collaboration.ts";
import * as m009 from "./migrations/009_analytics.ts";
import * as m010 from "./migrations/010_search.ts";
import * as m011 from "./migrations/011_labels.ts";
import * as m012 from "./migrations/012_analytics_facts.ts";
import * as m013 from "./migrations/013_store_edits.ts";
import * as m014 from "./migrations/014_unread_sums.ts";
import * as m015 from "./migrations/015_store_edits.ts";
import * as m018 from "./migrations/018_broker_log.ts";
import * as m019 from "./migrations/019_sign_ins.ts";
import * as m020 from "./migrations/020_audit_log.ts";
import * as m022 from "./migrations/022_absent_assignees.ts";

interface Migration {
  name: string;
  up(db: Kysely<unknown>): Promise<void>;
}

/** In order; a name that was released is never changed or removed. */
const MIGRATIONS: Migration[] = [
  { name: "001_conversations", up: m001.up },
  { name: "002_store_functions", up: m002.up },
  { name: "003_contexts", up: m003.up },
  { name: "004_change_feed", up: m004.up },
  { name: "005_receipts", up: m005.up },
  { name: "006_notifications", up: m006.up },
  { name: "007_api", up: m007.up },
  { name: "008_collaboration", up: m008.up },
  { name: "009_analytics", up: m009.up },
  { name: "010_search", up: m010.up },
  { name: "011_labels", up: m011.up },
  { name: "012_analytics_facts", up: m012.up },
  { name: "013_store_edits", up: m013.up },
  { name: "014_unread_sums", up: m014.up },
  { name: "015_store_edits", up: m015.up },
  { name: "018_broker_log", up: m018.up },
  { name: "019_sign_ins", up: m019.up },
  { name: "020_audit_log", up: m020.up },
  { name: "022_absent_assignees", up: m022.up },
];

/** Key of the advisory lock that lets one process migrate at a time ("parl" in ASCII). */
const LOCK_KEY = 0x7061726c;

/** Waits until this transaction alone may change what every start looks at. */
export async function lockStart(trx: Kysely<Database>): Promise<void> {
  await sql`select pg_advisory_xact_lock(${sql.lit(LOCK_KEY)})`.execute(trx);
}

/**
 * Brings the schema up to date, forward only, all pending migrations in one transaction.
 *
 * @returns the names of the migrations that were run.
 * @throws when the database was migrated by a newer version of Parley.
 */
export async function migrate(db: Kysely<Database>): Promise<string[]> {
  return await db.transaction().execute(async (trx) => {
    await lockStart(trx);
    await sql`create table if not exists schema_migrations (
      name text primary key,
      run_at timestamptz not null default now()
    )`.execute(trx);
    const done = await sql<{ name: string }>`select name from schema_migrations`.execute(trx);
    const known = new Set(MIGRATIONS.map((migration) => migration.name));
    const foreign = done.rows.find((row) => !known.has(row.name));
    if (foreign !== undefined) {
      throw new Error(
        `Cannot migrate the database: it has "${foreign.name}", which this version does not know`,
      );
    }
    const names = new Set(done.rows.map((row) => row.name));
    const pending = MIGRATIONS.filter((migration) => !names.has(migration.name));
    for (const migration of pending) {
      await migration.up(trx as unknown as Kysely<unknown>);
      await sql`insert into schema_migrations (name) values (${migration.name})`.execute(trx);
    }
    return pending.map((migration) => migration.name);
  });
}
