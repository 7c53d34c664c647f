import { type Kysely, sql } from "kysely";

/**
 * The chat that all agents of a workspace share. It is apart from conversations, so that no list,
 * search, figure or notification of those ever has anything of it.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`create table workspace_messages (
    seq bigint primary key,
    id uuid not null,
    client_message_id text not null,
    sender_id text not null,
    sender_name text not null,
    content text not null,
    created_at timestamptz not null,
    unique (sender_id, client_message_id)
  )`.execute(db);
}
