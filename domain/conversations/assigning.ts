/** Whose conversation it is: an agent's and a team's, by hand and by a team's own assignment. */
import type { MessageRow } from "../../db/types.ts";
import {
  type Actor,
  type Applied,
  logActivity,
  type Seats,
  SYSTEM,
  type UnitOfWork,
} from "./unit_of_work.ts";

/** Unassigns a disabled assignee, so that other agents see the conversation. */
export function unassignDisabled(unit: UnitOfWork, now: Date): void {
  const { row } = unit;
  if (row.assignee_id !== null && row.assignee_disabled_at !== null) {
    assign(unit, SYSTEM, null, now);
  }
}

export function setTeam(
  unit: UnitOfWork,
  actor: Actor,
  team: { id: string; name: string } | null,
  now: Date,
): MessageRow | null {
  if (unit.row.team_id === (team?.id ?? null)) return null;
  unit.row.team_id = team?.id ?? null;
  unit.changedColumns.add("team_id");
  const what = team === null
    ? "took the conversation out of its team"
    : `gave the conversation to the team ${team.name}`;
  return logActivity(unit, actor, what, { team }, now);
}

/** @param because instead of the usual activity line: a whole sentence */
export function assign(
  unit: UnitOfWork,
  actor: Actor,
  assignee: { userId: string; userName: string } | null,
  now: Date,
  because?: string,
): MessageRow | null {
  const { row } = unit;
  if (row.assignee_id === (assignee?.userId ?? null)) return null;
  row.assignee_id = assignee?.userId ?? null;
  row.assignee_name = assignee?.userName ?? null;
  row.assignee_disabled_at = null;
  const what = because !== undefined
    ? { sentence: because }
    : assignee === null
    ? "removed the assignment"
    : assignee.userId === actor.userId
    ? "took the conversation"
    : `assigned the conversation to ${assignee.userName}`;
  return logActivity(unit, actor, what, { assignee }, now);
}

/** Whether a conversation waits for its team to assign it. */
function awaitsTeam({ row }: UnitOfWork): boolean {
  return row.team_id !== null && row.assignee_id === null && row.waiting_since !== null &&
    (row.status === "open" || row.status === "pending");
}

/** Nothing happens where it needs nobody any more, or nobody is free. */
export function autoAssign(unit: UnitOfWork, available: readonly string[], now: Date): Applied {
  const nothing = { message: null, duplicate: true };
  const { row, roster } = unit;
  const seats = awaitsTeam(unit) ? roster?.teams.get(row.team_id!) : undefined;
  if (seats === undefined) return nothing;
  const { open } = roster!;
  const load = (userId: string) => open.get(userId) ?? 0;
  const free = seats.members.filter(({ userId }) =>
    available.includes(userId) && (seats.capacity === null || load(userId) < seats.capacity)
  );
  const byTurn = (a: Seats["members"][0], b: Seats["members"][0]) =>
    a.turn - b.turn || (a.userId < b.userId ? -1 : 1);
  const [next] = seats.assignment === "none"
    ? []
    : seats.assignment === "round_robin"
    ? free.sort(byTurn)
    : free.sort((a, b) => load(a.userId) - load(b.userId) || byTurn(a, b));
  if (next === undefined) return nothing;
  next.turn = 1 + Math.max(...seats.members.map(({ turn }) => turn));
  unit.turn = { teamId: row.team_id!, userId: next.userId, turn: next.turn };
  if (row.status === "open") open.set(next.userId, load(next.userId) + 1);
  const { userId, userName } = next;
  const because = `The conversation was assigned to ${userName}`;
  return { message: assign(unit, SYSTEM, { userId, userName }, now, because), duplicate: false };
}
