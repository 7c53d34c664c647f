import { type Kysely, sql } from "kysely";

/** Conversations that a website opens by a name of its own choosing: one for each name. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`alter table conversations add column context_id text`.execute(db);
  await sql`create unique index conversations_context on conversations (context_id)
    where context_id is not null`.execute(db);
  // A contact may have several now; the index that there is serves those of the website only.
  await sql`create index conversations_contact on conversations (contact_id)`.execute(db);
}
