import { type Kysely, sql } from "kysely";

/**
 * Marks as unread: a negative `read_inbound`, which only a reading ends, and not the delivery of the
 * next message. The function is changed where it stands, because other migrations change it, too.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`create table unread_marks (
    user_id uuid not null,
    conversation_id uuid not null references conversations on delete cascade,
    primary key (user_id, conversation_id)
  )`.execute(db);
  await sql`create index unread_marks_conversation on unread_marks (conversation_id)`.execute(db);
  const { rows } = await sql<{ definition: string }>`
    select pg_get_functiondef(p.oid) as definition from pg_proc p
    where p.proname = 'write_batch' and p.pronamespace = current_schema()::regnamespace`
    .execute(db);
  for (const { definition } of rows) {
    const changed = definition.replace(BEFORE, AFTER);
    if (changed === definition) throw new Error("Cannot change write_batch: it is another one");
    await sql.raw(changed).execute(db);
  }
}

const BEFORE = "read_inbound = greatest(p.read_inbound, excluded.read_inbound)";
/** A pointer that was only delivered has no position of reading. */
const AFTER = `read_inbound = case when excluded.read_seq = 0 then p.read_inbound
            else greatest(p.read_inbound, excluded.read_inbound) end`;
