import { type Kysely, sql } from "kysely";

/**
 * The last move of each pointer of a conversation, with a number and the position of the log at
 * that moment, so that who was away learns of it in its place between the events of the log.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`create table conversation_receipts (
    conversation_id uuid not null references conversations on delete cascade,
    role text not null check (role in ('agent', 'visitor')),
    event text not null check (event in ('delivered', 'read')),
    number bigint not null,
    at_seq bigint not null,
    seq bigint not null,
    user_id uuid not null,
    created_at timestamptz not null,
    primary key (conversation_id, role, event)
  )`.execute(db);
}
