import { type Kysely, sql } from "kysely";
import { buildIndex } from "../steps.ts";

/**
 * Contacts that are the same person, and contacts who may not write.
 *
 * A merged contact stays as it is and points to another one: its sessions, conversations and rights
 * are those that it had, so no visitor sees what another wrote, and the merge can be undone.
 * `contact_merges` has what each merge changed.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  const statements = [
    sql`alter table contacts add column merged_into uuid references contacts on delete set null,
      add column blocked_at timestamptz, add column blocked_by text`,
    sql`create table contact_merges (
      id uuid primary key,
      into_id uuid not null references contacts on delete cascade,
      from_id uuid not null references contacts on delete cascade,
      moved jsonb not null,
      merged_by text,
      merged_at timestamptz not null default now(),
      undone_at timestamptz
    )`,
    sql`create index contact_merges_into on contact_merges (into_id)`,
    sql`create index contact_merges_from on contact_merges (from_id)`,
  ];
  for (const statement of statements) await statement.execute(db);
}

export const steps = [
  buildIndex("contacts_merged", "on contacts (merged_into) where merged_into is not null"),
  buildIndex("contacts_blocked", "on contacts (id) where blocked_at is not null"),
  buildIndex("contacts_recent", "on contacts ((coalesce(last_seen_at, created_at)) desc, id desc)"),
  buildIndex("contacts_name", "on contacts ((left(lower(name), 24)), id)"),
];
