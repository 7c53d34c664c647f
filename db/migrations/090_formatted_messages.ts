import { type Kysely, sql } from "kysely";

/**
 * Markdown of messages as elements. The change feed leaves it out: it follows from the content, and
 * would have to be redacted with it. The function is changed where it stands, because other
 * migrations change it, too.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`alter table chat_messages add column formatted jsonb`.execute(db);
  const { rows } = await sql<{ definition: string }>`
    select pg_get_functiondef(p.oid) as definition from pg_proc p
    where p.proname = 'record_chat_messages'
      and p.pronamespace = current_schema()::regnamespace`.execute(db);
  for (const { definition } of rows) {
    const changed = definition.replaceAll(BEFORE, AFTER);
    if (changed === definition) throw new Error("Cannot change record_chat_messages");
    await sql.raw(changed).execute(db);
  }
}

const BEFORE = "to_jsonb(r) ||";
const AFTER = "(to_jsonb(r) - 'formatted') ||";
