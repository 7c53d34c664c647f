import { type Kysely, sql } from "kysely";
import { buildIndex } from "../steps.ts";

/** From 0, none, to 4, urgent. A default needs no rewrite of the table. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`alter table conversations add column priority smallint not null default 0`.execute(db);
}

/** Most conversations have none, and are in no index of priorities: their messages do not pay for it. */
export const steps = [
  buildIndex(
    "conversations_priority",
    "on conversations (priority desc, last_activity_at desc, id desc) where priority > 0",
  ),
];
