import { type Kysely, sql } from "kysely";

/**
 * Files, and what messages show of theirs. A message keeps a copy of that, so that reading messages
 * reads no other table. The bytes are elsewhere: a deleted row leaves their key in file_removals, in
 * the same transaction, and a job removes them.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
}

const STATEMENTS = [
  `alter table chat_messages add column files jsonb`,
  `create table files (
    id uuid primary key,
    uploader_kind text not null,
    uploader_id uuid not null,
    -- The client's own id, so that an upload can be repeated.
    upload_id text not null,
    storage_key text not null unique,
    -- uploading, stored
    state text not null default 'uploading',
    name text not null,
    media_type text not null default '',
    size bigint not null default 0,
    width integer,
    height integer,
    duration_ms integer,
    -- Both are null until a message has it.
    conversation_id uuid,
    message_id uuid references chat_messages on delete cascade,
    created_at timestamptz not null default now(),
    unique (uploader_kind, uploader_id, upload_id)
  )`,
  `create index files_message on files (message_id) where message_id is not null`,
  `create index files_unsent on files (created_at) where message_id is null`,
  `create index files_of_uploader on files (uploader_kind, uploader_id, created_at)`,
  `create table file_removals (
    storage_key text primary key,
    -- Until then a node is removing it.
    taken_until timestamptz not null default '-infinity'
  )`,
  `create function note_removed_file() returns trigger language plpgsql as $$ begin
    insert into file_removals (storage_key) values (old.storage_key) on conflict do nothing;
    return null;
  end $$`,
  `create trigger note_removed_file after delete on files
    for each row execute function note_removed_file()`,
  // An upload that is tried again leaves the bytes of the earlier attempt.
  `create trigger note_replaced_file after update of storage_key on files
    for each row when (old.storage_key <> new.storage_key) execute function note_removed_file()`,
];
