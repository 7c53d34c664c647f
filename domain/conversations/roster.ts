/** Who could get the conversations of a team, within a transaction of the writer. */
import { sql } from "kysely";
import type { Db } from "../../db/database.ts";
import type { Operation, Seats, UnitOfWork } from "./unit_of_work.ts";

/** "seat" in ASCII: one transaction of the cluster at a time counts who is free. */
const LOCK_KEY = 0x73656174;

/**
 * For conversations that their team assigns: who could get them. Loaded under a lock that lasts until
 * the commit, so two nodes do not give the same place to two conversations. Taken after the locks of
 * all conversations of the batch, so it cannot deadlock with them.
 */
export async function loadRoster(
  trx: Db,
  all: ReadonlyMap<string, UnitOfWork>,
  operations: readonly Operation[],
): Promise<void> {
  const units = operations.flatMap(({ kind, conversationId }) =>
    kind === "auto_assign" ? all.get(conversationId) ?? [] : []
  );
  const teamIds = [...new Set(units.flatMap(({ row }) => row.team_id ?? []))];
  if (teamIds.length === 0) return;
  await sql`select pg_advisory_xact_lock(${LOCK_KEY})`.execute(trx);
  const { rows } = await sql<
    Omit<Seats, "members"> & { team: string; userId: string; userName: string; turn: number }
  >`
    select t.id as team, t.assignment, t.capacity, m.user_id as "userId", u.name as "userName",
      m.last_turn as turn
    from teams t join team_members m on m.team_id = t.id join users u on u.id = m.user_id
    where t.id = any(${teamIds}::uuid[]) and u.disabled_at is null`.execute(trx);
  const people = [...new Set(rows.map(({ userId }) => userId))];
  const { rows: counts } = await sql<{ id: string; n: number }>`
    select assignee_id as id, count(*)::int as n from conversations
    where assignee_id = any(${people}::uuid[]) and status = 'open' group by assignee_id`
    .execute(trx);
  const teams = new Map<string, Seats>();
  for (const { team, assignment, capacity, ...member } of rows) {
    const seats = teams.get(team) ?? { assignment, capacity, members: [] };
    teams.set(team, seats);
    seats.members.push(member);
  }
  const roster = { teams, open: new Map(counts.map(({ id, n }) => [id, n])) };
  for (const unit of units) unit.roster = roster;
}

/** Stores whose turn it was. */
export async function storeTurns(trx: Db, all: readonly UnitOfWork[]): Promise<void> {
  for (const { turn: taken } of all) {
    if (taken === null) continue;
    const { teamId, userId, turn } = taken;
    await trx.updateTable("team_members").set({ last_turn: turn })
      .where("team_id", "=", teamId).where("user_id", "=", userId).execute();
  }
}
