import { type Kysely, sql } from "kysely";

/**
 * What is known about a contact, and by whom: `provenance` has who set the name and the address;
 * `attributes`, which nothing has written so far, has the same for each of its values.
 * `contact_pages` are the pages of contacts who wrote; of others they are never stored.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  const statements = [
    sql`alter table contacts add column provenance jsonb not null default '{}'`,
    sql`create table contact_pages (
      id uuid primary key,
      contact_id uuid not null references contacts on delete cascade,
      url text not null,
      title text,
      referrer text,
      seen_at timestamptz not null
    )`,
    sql`create index contact_pages_contact on contact_pages (contact_id, id desc)`,
  ];
  for (const statement of statements) await statement.execute(db);
}
