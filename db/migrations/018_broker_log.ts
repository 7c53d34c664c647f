import { type Kysely, sql } from "kysely";

/**
 * What nodes tell each other through Postgres (`db/broker_log.ts`), kept for about a minute.
 *
 * Unlogged: it is lost in a crash of the server, which every node notices by the mark, and a commit
 * waits for no disk. What must not be lost is in the log of each conversation. Each node numbers
 * what it says by itself, so no number becomes visible before a smaller one of the same node, and no
 * lock orders the nodes among each other.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`create unlogged table broker_log (
    installation text not null,
    node text not null,
    n bigint not null,
    items text not null,
    at timestamptz not null default now(),
    primary key (installation, node, n)
  )`.execute(db);
  // Read once by each node and deleted: compressing it costs more than it saves.
  await sql`alter table broker_log alter column items set storage external`.execute(db);
}
