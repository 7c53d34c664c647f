/** What all of a server's tables hold, as one text, so that a test can see that nothing changed. */
import { PGlite } from "@electric-sql/pglite";
import pg from "pg";
import type { TestServer } from "./server.ts";

/** Tables in which reading, too, leaves a trace: who was there last, and what follows from changes. */
const TRACES = new Set([
  "change_commits",
  "changes",
  "chat_sessions",
  "metric_conversation_days",
  "metric_conversations",
  "metric_facts",
  "metric_points",
  "refresh_tokens",
  "sign_ins",
]);
/** Columns of other tables for which the same holds. */
const TRACE_COLUMNS = ["last_seen_at", "last_used_at"];

export type Query = (text: string) => Promise<Record<string, unknown>[]>;

/** By table. */
export function fingerprint(server: TestServer): Promise<Record<string, string>> {
  return inDatabase(server, read);
}

/** Queries without Parley. PGlite's server is stopped meanwhile: its data folder has one reader. */
export async function inDatabase<T>(
  server: TestServer,
  work: (query: Query) => Promise<T>,
): Promise<T> {
  if (server.engine === "postgres") {
    const client = new pg.Client({ connectionString: server.env["DATABASE_URL"] });
    await client.connect();
    try {
      return await work(async (text) => (await client.query(text)).rows);
    } finally {
      await client.end();
    }
  }
  await server.stop();
  const database = await PGlite.create(`${server.env["DATA_DIR"]}/postgres`);
  try {
    return await work(async (text) => (await database.query<Record<string, unknown>>(text)).rows);
  } finally {
    await database.close();
    await server.restart();
  }
}

async function read(query: Query): Promise<Record<string, string>> {
  const tables = await query(
    "select table_name as name from information_schema.tables where table_schema = 'public'",
  );
  const found: Record<string, string> = {};
  for (const { name } of tables) {
    if (TRACES.has(String(name))) continue;
    const row = TRACE_COLUMNS.reduce((json, column) => `${json} - '${column}'`, "to_jsonb(t)");
    const [hash] = await query(
      `select count(*) || ' ' || coalesce(md5(string_agg(j, '' order by j)), '') as hash
        from (select (${row})::text as j from "${name}" t ${where(String(name))}) rows`,
    );
    found[String(name)] = String(hash!["hash"]);
  }
  return found;
}

/** Of the facts about the database those that somebody sets, and not how far a reader has come. */
function where(table: string): string {
  return table === "server_meta" ? "where key in ('epoch', 'business_hours')" : "";
}
