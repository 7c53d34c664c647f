import { type Kysely, sql } from "kysely";
import { recording, WHOLE } from "./004_change_feed.ts";

/** Labels, and which conversations have them. */
export async function up(db: Kysely<unknown>): Promise<void> {
  const { rows: [schema] } = await sql<{ name: string }>`
    select quote_ident(current_schema()) as name`.execute(db);
  const statements = [...TABLES, LABELS_OF, ...recording(schema!.name, "labels", WHOLE)];
  for (const statement of statements) await sql.raw(statement).execute(db);
}

const TABLES = [
  `create table labels (
    id uuid primary key,
    name text not null,
    color text not null check (color in
      ('gray', 'red', 'orange', 'amber', 'green', 'teal', 'blue', 'violet', 'pink')),
    description text,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now()
  )`,
  `create unique index labels_name on labels (lower(name))`,
  `create table conversation_labels (
    conversation_id uuid not null references conversations on delete cascade,
    label_id uuid not null references labels on delete cascade,
    created_at timestamptz not null default now(),
    primary key (conversation_id, label_id)
  )`,
  `create index conversation_labels_label on conversation_labels (label_id)`,
];

/**
 * The labels of these conversations. A function for the same reason as the writer's others
 * (002_store_functions.ts): it is asked with every batch.
 */
const LABELS_OF = `create function labels_of(conversations uuid[])
    returns table (conversation_id uuid, id uuid, name text, color text)
    language plpgsql stable
    set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off
    as $$ begin
      return query select cl.conversation_id, l.id, l.name, l.color
        from conversation_labels cl join labels l on l.id = cl.label_id
        where cl.conversation_id = any(conversations)
        order by cl.conversation_id, cl.label_id;
    end $$`;
