import { type Kysely, sql } from "kysely";

/** What programs and the workspace's settings are made of: API keys, canned responses, channels. */
export async function up(db: Kysely<unknown>): Promise<void> {
  const statements = [
    sql`create table api_keys (
      id uuid primary key,
      name text not null,
      -- The first characters of the key, so that people know which one it is.
      prefix text not null,
      -- SHA-256 in hex: the key itself is shown once and not kept.
      key_hash text not null unique,
      scopes text[] not null,
      created_by uuid references users on delete set null,
      created_at timestamptz not null default now(),
      last_used_at timestamptz,
      expires_at timestamptz,
      revoked_at timestamptz
    )`,
    sql`create table canned_responses (
      id uuid primary key,
      user_id uuid references users on delete set null,
      short_code text not null unique,
      content text not null,
      created_at timestamptz not null default now(),
      updated_at timestamptz not null default now()
    )`,
    sql`create table channels (
      id uuid primary key,
      platform text not null,
      name text not null,
      enabled boolean not null default false,
      settings jsonb not null default '{}',
      secrets jsonb not null default '{}',
      created_at timestamptz not null default now(),
      updated_at timestamptz not null default now()
    )`,
  ];
  for (const statement of statements) await statement.execute(db);
}
