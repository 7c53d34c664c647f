import { type Kysely, sql } from "kysely";

/**
 * One row for each sign-in, which is locked when it is renewed. Those that there are go on. Nodes of
 * an older version know refresh_tokens alone, so what they do there is followed by a trigger.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  const statements = [
    sql`create table sign_ins (
      id uuid primary key,
      user_id uuid not null references users on delete cascade,
      address text,
      user_agent text,
      created_at timestamptz not null default now(),
      last_used_at timestamptz not null default now(),
      expires_at timestamptz not null,
      ended_at timestamptz,
      end_reason text
    )`,
    sql`create index sign_ins_user on sign_ins (user_id)`,
    sql`delete from refresh_tokens where expires_at <= now() or family_id not in
      (select family_id from refresh_tokens where revoked_at is null and expires_at > now())`,
    sql`insert into sign_ins (id, user_id, user_agent, created_at, last_used_at, expires_at)
      select family_id, (array_agg(user_id))[1],
        (array_agg(user_agent order by created_at desc))[1],
        min(created_at), max(created_at), max(expires_at)
      from refresh_tokens group by family_id`,
    // The token that this one follows on; null for the first one.
    sql`alter table refresh_tokens add column parent_id uuid,
      add constraint refresh_tokens_sign_in foreign key (family_id) references sign_ins
        on delete cascade`,
    sql`create index refresh_tokens_parent on refresh_tokens (parent_id)
      where parent_id is not null`,
    sql`create function follow_refresh_tokens() returns trigger language plpgsql as $$
      begin
        if tg_op = 'INSERT' then
          insert into sign_ins (id, user_id, user_agent, expires_at)
            values (new.family_id, new.user_id, new.user_agent, new.expires_at)
            on conflict (id) do nothing;
        elsif old.revoked_at is null and new.revoked_at is not null then
          update sign_ins set ended_at = new.revoked_at, end_reason = 'other'
            where id = new.family_id and ended_at is null;
        end if;
        return new;
      end $$`,
    sql`create trigger follow_refresh_tokens before insert or update of revoked_at
      on refresh_tokens for each row execute function follow_refresh_tokens()`,
  ];
  for (const statement of statements) await statement.execute(db);
}
