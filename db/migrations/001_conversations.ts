import { type Kysely, sql } from "kysely";

/** People, widgets, sessions, conversations and their log. */
export async function up(db: Kysely<unknown>): Promise<void> {
  const statements = [
    sql`create table server_meta (
      key text primary key,
      value text not null
    )`,
    sql`create table users (
      id uuid primary key,
      email text not null unique check (email = lower(email)),
      name text not null,
      password_hash text not null,
      role text not null check (role in ('admin', 'agent')),
      created_at timestamptz not null default now(),
      updated_at timestamptz not null default now(),
      last_seen_at timestamptz,
      disabled_at timestamptz
    )`,
    sql`create table contacts (
      id uuid primary key,
      name text not null,
      email text,
      phone text,
      attributes jsonb not null default '{}',
      created_at timestamptz not null default now(),
      updated_at timestamptz not null default now(),
      last_seen_at timestamptz
    )`,
    sql`create table contact_identities (
      id uuid primary key,
      contact_id uuid not null references contacts on delete cascade,
      platform text not null,
      external_id text not null,
      verified boolean not null default false,
      created_at timestamptz not null default now(),
      unique (platform, external_id)
    )`,
    sql`create index contact_identities_contact on contact_identities (contact_id)`,
    sql`create table widget_configs (
      id uuid primary key,
      user_id uuid references users on delete set null,
      name text not null,
      widget_key text not null unique,
      secret text not null,
      allowed_origins text[] not null default '{}',
      enabled boolean not null default true,
      appearance jsonb not null default '{}',
      created_at timestamptz not null default now(),
      updated_at timestamptz not null default now()
    )`,
    sql`create table chat_sessions (
      id uuid primary key,
      session_id text not null unique,
      widget_id uuid not null references widget_configs on delete cascade,
      contact_id uuid not null references contacts on delete cascade,
      origin text,
      user_agent text,
      locale text,
      page_url text,
      page_title text,
      created_at timestamptz not null default now(),
      last_seen_at timestamptz not null default now(),
      expires_at timestamptz not null,
      ended_at timestamptz
    )`,
    sql`create index chat_sessions_contact on chat_sessions (contact_id)`,
    sql`create table conversations (
      id uuid primary key,
      contact_id uuid not null references contacts on delete cascade,
      platform text not null default 'web',
      channel_id uuid,
      status text not null default 'open'
        check (status in ('open', 'pending', 'snoozed', 'resolved')),
      assignee_id uuid references users on delete set null,
      last_seq bigint not null default 0,
      inbound_count integer not null default 0,
      outbound_count integer not null default 0,
      agent_delivered_seq bigint not null default 0,
      agent_read_seq bigint not null default 0,
      contact_delivered_seq bigint not null default 0,
      contact_read_seq bigint not null default 0,
      last_message_seq bigint not null default 0,
      last_message_preview text,
      last_message_role text,
      last_message_sender_id text,
      last_message_sender_name text,
      last_message_private boolean not null default false,
      last_message_at timestamptz,
      last_activity_at timestamptz not null default now(),
      waiting_since timestamptz,
      snoozed_until timestamptz,
      created_at timestamptz not null default now(),
      updated_at timestamptz not null default now(),
      resolved_at timestamptz
    )`,
    sql`create unique index conversations_web_contact on conversations (contact_id)
      where platform = 'web'`,
    sql`create index conversations_activity on conversations (last_activity_at desc, id desc)`,
    sql`create index conversations_status on conversations
      (status, last_activity_at desc, id desc)`,
    sql`create index conversations_assignee on conversations
      (assignee_id, status, last_activity_at desc, id desc)`,
    sql`create table chat_messages (
      id uuid primary key,
      conversation_id uuid not null references conversations on delete cascade,
      seq bigint not null,
      session_id text,
      client_message_id text,
      sender_id text not null,
      sender_role text not null check (sender_role in ('agent', 'visitor', 'bot', 'system')),
      sender_name text not null,
      type text not null,
      content text not null,
      is_private boolean not null default false,
      platform text not null,
      inbound_count integer not null,
      outbound_count integer not null,
      created_at timestamptz not null,
      edited_at timestamptz,
      deleted_at timestamptz,
      unique (conversation_id, seq),
      unique (conversation_id, sender_id, client_message_id)
    )`,
    sql`create index chat_messages_session on chat_messages (session_id)
      where session_id is not null`,
    sql`create table conversation_events (
      conversation_id uuid not null references conversations on delete cascade,
      seq bigint not null,
      type text not null,
      message_id uuid,
      is_private boolean not null default false,
      payload jsonb not null default '{}',
      created_at timestamptz not null,
      primary key (conversation_id, seq)
    )`,
    sql`create table participants (
      conversation_id uuid not null references conversations on delete cascade,
      user_id uuid not null,
      role text not null check (role in ('agent', 'visitor')),
      delivered_seq bigint not null default 0,
      read_seq bigint not null default 0,
      read_inbound integer not null default 0,
      read_outbound integer not null default 0,
      updated_at timestamptz not null default now(),
      primary key (conversation_id, user_id)
    )`,
    sql`create index participants_user on participants (user_id)`,
    sql`create table refresh_tokens (
      id uuid primary key,
      user_id uuid not null references users on delete cascade,
      family_id uuid not null,
      token_hash text not null unique,
      user_agent text,
      created_at timestamptz not null default now(),
      expires_at timestamptz not null,
      used_at timestamptz,
      revoked_at timestamptz
    )`,
    sql`create index refresh_tokens_family on refresh_tokens (family_id)`,
    sql`create index refresh_tokens_user on refresh_tokens (user_id)`,
    sql`create table audit_log (
      id uuid primary key,
      actor_id uuid,
      action text not null,
      subject text,
      data jsonb not null default '{}',
      address text,
      created_at timestamptz not null default now()
    )`,
  ];
  for (const statement of statements) await statement.execute(db);
}
