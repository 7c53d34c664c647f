import { type Kysely, sql } from "kysely";
import { buildIndex } from "../steps.ts";

/**
 * Teams, and the team of a conversation. It has no foreign key: a team that is deleted is taken off
 * its conversations in parts, before its row goes.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  const statements = [
    sql`create table teams (
      id uuid primary key,
      name text not null,
      assignment text not null default 'none'
        check (assignment in ('none', 'round_robin', 'least_busy')),
      capacity integer check (capacity > 0),
      created_at timestamptz not null default now(),
      updated_at timestamptz not null default now()
    )`,
    sql`create unique index teams_name on teams (lower(name))`,
    // last_turn grows with every conversation that the team's assignment gives to a member.
    sql`create table team_members (
      team_id uuid not null references teams on delete cascade,
      user_id uuid not null references users on delete cascade,
      last_turn bigint not null default 0,
      primary key (team_id, user_id)
    )`,
    sql`create index team_members_user on team_members (user_id)`,
    sql`alter table conversations add column team_id uuid`,
  ];
  for (const statement of statements) await statement.execute(db);
}

/** Conversations without a team are in neither of them. */
export const steps = [
  buildIndex(
    "conversations_team",
    "on conversations (team_id, last_activity_at desc, id desc) where team_id is not null",
  ),
  buildIndex(
    "conversations_team_waiting",
    `on conversations (team_id, waiting_since)
      where team_id is not null and assignee_id is null and waiting_since is not null`,
  ),
];
