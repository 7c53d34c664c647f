/** Databases for the benchmarks: created, filled without the product, and dropped. */
import { sql } from "kysely";
import { openDatabase } from "../../db/database.ts";
import { ensureFirstWidget } from "../../domain/visitors/widgets.ts";
import { makeDatabase } from "../../tests/support/server.ts";
import { makeDataDir } from "../../tests/support/template.ts";

export type Engine = "pglite" | "postgres";

export interface BenchDatabase {
  engine: Engine;
  url: string | undefined;
  dataDir: string;
  /** The environment of a server that uses it. */
  env: Record<string, string>;
  drop(): Promise<void>;
}

/** Visitor `i`: a contact with a session and a conversation on the website. */
export const sessionOf = (i: number) => `bench-${i}`;
const hex = (i: number) => i.toString(16).padStart(12, "0");
export const conversationOf = (i: number) => `00000000-0000-4000-9000-${hex(i)}`;

/** Raised so far that no benchmark reaches a limit that it does not measure. */
export const UNLIMITED: Record<string, string> = {
  PORT: "0",
  LIMIT_MESSAGES_PER_MINUTE: "1000000",
  LIMIT_ROOM_BROADCASTS_PER_MINUTE: "10000000",
  LIMIT_SESSIONS_PER_MINUTE: "1000000",
  MAX_CONNECTIONS_PER_USER: "100000",
  MAX_PENDING_COMMANDS: "100000",
  MAX_PENDING_WRITES: "1000000",
  AUTH_TIMEOUT_MS: "120000",
  HEARTBEAT_MS: "600000",
  DRAIN_MS: "0",
};

export const ADMIN = { email: "bench@example.com", password: "correct horse battery" };

/** A database with `visitors` visitors, numbered from 0. */
export async function makeBenchDatabase(engine: Engine, visitors: number): Promise<BenchDatabase> {
  const dataDir = await makeDataDir();
  const made = engine === "postgres" ? await makeDatabase() : null;
  const opened = await openDatabase({ url: made?.url, dataDir, pool: 2 });
  const { db } = opened;
  await ensureFirstWidget(db);
  const id = (group: string) =>
    sql`('00000000-0000-4000-${sql.raw(group)}-' || lpad(to_hex(i), 12, '0'))::uuid`;
  const each = sql`generate_series(0, ${sql.lit(visitors - 1)}) i`;
  await sql`insert into contacts (id, name) select ${id("8000")}, 'Visitor ' || i from ${each}`
    .execute(db);
  await sql`insert into chat_sessions (id, session_id, widget_id, contact_id, expires_at)
    select ${id("a000")}, encode(sha256(convert_to('bench-' || i, 'UTF8')), 'hex'),
      (select id from widget_configs limit 1), ${id("8000")}, now() + interval '90 days'
    from ${each}`.execute(db);
  await sql`insert into conversations (id, contact_id) select ${id("9000")}, ${id("8000")}
    from ${each}`.execute(db);
  await sql`analyze`.execute(db);
  await opened.close();
  return {
    engine,
    url: made?.url,
    dataDir,
    env: {
      ...UNLIMITED,
      ADMIN_EMAIL: ADMIN.email,
      ADMIN_PASSWORD: ADMIN.password,
      DATA_DIR: dataDir,
      ...(made === null ? {} : { DATABASE_URL: made.url }),
    },
    async drop() {
      await made?.drop();
      await Deno.remove(dataDir, { recursive: true });
    },
  };
}

export async function postgresIsThere(): Promise<boolean> {
  try {
    const probe = await makeDatabase();
    await probe.drop();
    return true;
  } catch {
    return false;
  }
}
