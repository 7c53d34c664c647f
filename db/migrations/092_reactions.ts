import { type Kysely, sql } from "kysely";

/**
 * Reactions to messages, in their rows, so that reading messages reads no other table. The change
 * feed leaves them out, because they name people.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`alter table chat_messages add column reactions jsonb`.execute(db);
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

const BEFORE = "(to_jsonb(r) - 'formatted') ||";
const AFTER = "(to_jsonb(r) - 'formatted' - 'reactions') ||";
