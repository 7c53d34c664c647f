import { type Kysely, sql } from "kysely";

/**
 * Shared documents: a snapshot of the text at `snapshot_version`, and every edit since then and some
 * time before it. A document goes with the conversation or contact that it belongs to.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`create table collaboration_documents (
    id uuid primary key,
    kind text not null check (kind in ('conversation', 'contact', 'context')),
    subject_id text not null,
    conversation_id uuid generated always as
      (case when kind = 'conversation' then subject_id::uuid end) stored
      references conversations on delete cascade,
    contact_id uuid generated always as
      (case when kind = 'contact' then subject_id::uuid end) stored
      references contacts on delete cascade,
    version bigint not null default 0,
    snapshot_version bigint not null default 0,
    content text not null default '',
    clients jsonb not null default '[]',
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    unique (kind, subject_id)
  )`.execute(db);
  await sql`create index collaboration_documents_conversation_id
    on collaboration_documents (conversation_id) where conversation_id is not null`.execute(db);
  await sql`create index collaboration_documents_contact_id
    on collaboration_documents (contact_id) where contact_id is not null`.execute(db);
  await sql`create table collaboration_operations (
    document_id uuid not null references collaboration_documents on delete cascade,
    version bigint not null,
    client_id text not null,
    client_seq bigint,
    author_id text not null,
    author_name text not null,
    author_role text not null,
    operation jsonb not null,
    created_at timestamptz not null default now(),
    primary key (document_id, version)
  )`.execute(db);
}
