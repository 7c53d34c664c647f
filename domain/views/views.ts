/** Saved views of the list of conversations: an agent's own, and those for a team or everybody. */
import { sql } from "kysely";
import type { Db } from "../../db/database.ts";
import { uuidv7 } from "../../db/uuid.ts";
import { ParleyError } from "../../protocol/errors.ts";
import {
  type CreateViewBody,
  MAX_VIEWS,
  type SavedView,
  type UpdateViewBody,
} from "../../protocol/views.ts";
import { ConversationFilter } from "../../protocol/rest.ts";
import { countFiltered } from "../conversations/counts.ts";
import type { AgentPrincipal } from "../principal.ts";

type Agent = Pick<AgentPrincipal, "userId" | "role">;

/** Views of which the conversations are counted at a time. */
const COUNTED_AT_ONCE = 4;

/** Those that an agent sees: admins also see the views of teams that they are not in. */
function selectViews(db: Db, { userId, role }: Agent) {
  return db.selectFrom("saved_views as v").innerJoin("users as u", "u.id", "v.user_id")
    .selectAll("v").select("u.name as user_name")
    .where(sql<boolean>`(v.user_id = ${userId}::uuid or v.shared_with = 'everybody'
      or (v.team_id is not null and (${role === "admin"} or exists (select from team_members m
        where m.team_id = v.team_id and m.user_id = ${userId}::uuid))))`);
}

type Row = Awaited<ReturnType<ReturnType<typeof selectViews>["executeTakeFirstOrThrow"]>>;

function toView(row: Row): SavedView {
  // A part of a filter that this version does not know is left out.
  const filter = ConversationFilter.strip().safeParse(row.filter);
  return {
    id: row.id,
    userId: row.user_id,
    userName: row.user_name,
    name: row.name,
    filter: filter.success ? filter.data : {},
    // The team may have been deleted.
    sharedWith: row.shared_with === "team" && row.team_id === null ? "nobody" : row.shared_with,
    teamId: row.team_id,
    createdAt: row.created_at.toISOString(),
    updatedAt: row.updated_at.toISOString(),
  };
}

/** By name. */
export async function listViews(db: Db, agent: Agent): Promise<SavedView[]> {
  const rows = await selectViews(db, agent).orderBy(sql`lower(v.name)`).orderBy("v.id").execute();
  return rows.map(toView);
}

/** @throws {ParleyError} `not_found`, also for a view that the agent does not see. */
export async function findView(db: Db, agent: Agent, id: string): Promise<SavedView> {
  const row = await selectViews(db, agent).where("v.id", "=", id).executeTakeFirst();
  if (row === undefined) throw new ParleyError("not_found", `Cannot find the view "${id}"`);
  return toView(row);
}

/** At most 100 conversations of each view that the agent sees, by its id. */
export async function countSavedViews(db: Db, agent: Agent): Promise<Record<string, number>> {
  const views = await listViews(db, agent);
  const counts: Record<string, number> = {};
  for (let at = 0; at < views.length; at += COUNTED_AT_ONCE) {
    await Promise.all(
      views.slice(at, at + COUNTED_AT_ONCE).map(async ({ id, filter }) => {
        counts[id] = await countFiltered(db, agent.userId, filter);
      }),
    );
  }
  return counts;
}

/** @throws {ParleyError} `conflict` for too many; `invalid` for a team that the agent is not in. */
export async function createView(
  db: Db,
  agent: Agent,
  { name, filter, sharedWith = "nobody", teamId = null }: CreateViewBody,
): Promise<SavedView> {
  await needTeam(db, agent, teamId);
  const id = uuidv7();
  await db.transaction().execute(async (trx) => {
    await sql`select from users where id = ${agent.userId}::uuid for no key update`.execute(trx);
    const { n } = await trx.selectFrom("saved_views").where("user_id", "=", agent.userId)
      .select((eb) => eb.fn.countAll<number>().as("n")).executeTakeFirstOrThrow();
    if (Number(n) >= MAX_VIEWS) {
      throw new ParleyError("conflict", `Cannot save the view: you have ${n} already`);
    }
    await trx.insertInto("saved_views").values({
      id,
      user_id: agent.userId,
      name,
      filter: JSON.stringify(filter),
      shared_with: sharedWith,
      team_id: teamId,
    }).execute();
  });
  return await findView(db, agent, id);
}

/**
 * @param check called with the locked record; throws to refuse the change.
 * @throws {ParleyError} `not_found`; `forbidden` for a colleague's view, unless by an admin; `invalid`
 * for a team that the agent is not in.
 */
export async function updateView(
  db: Db,
  agent: Agent,
  id: string,
  { name, filter, sharedWith, teamId = null }: UpdateViewBody,
  check: (current: SavedView) => void,
): Promise<SavedView> {
  await needTeam(db, agent, teamId);
  return await db.transaction().execute(async (trx) => {
    const current = await lock(trx, agent, id);
    check(current);
    await trx.updateTable("saved_views").set({
      ...(name === undefined ? {} : { name }),
      ...(filter === undefined ? {} : { filter: JSON.stringify(filter) }),
      ...(sharedWith === undefined ? {} : { shared_with: sharedWith, team_id: teamId }),
      updated_at: new Date(Math.max(Date.now(), Date.parse(current.updatedAt) + 1)),
    }).where("id", "=", id).execute();
    // An admin does not see a view that is its owner's alone any more.
    return await findView(trx, { ...agent, userId: current.userId }, id);
  });
}

/** @throws {ParleyError} `not_found`; `forbidden` for a colleague's view, unless by an admin. */
export async function deleteView(
  db: Db,
  agent: Agent,
  id: string,
  check: (current: SavedView) => void,
): Promise<void> {
  await db.transaction().execute(async (trx) => {
    check(await lock(trx, agent, id));
    await trx.deleteFrom("saved_views").where("id", "=", id).execute();
  });
}

async function lock(trx: Db, agent: Agent, id: string): Promise<SavedView> {
  await sql`select from saved_views where id = ${id}::uuid for update`.execute(trx);
  const view = await findView(trx, agent, id);
  if (view.userId === agent.userId || agent.role === "admin") return view;
  throw new ParleyError("forbidden", `Cannot change the view: it is ${view.userName}'s`);
}

/** Views are shared with one's own teams; admins share with any. */
async function needTeam(db: Db, { userId, role }: Agent, teamId: string | null): Promise<void> {
  if (teamId === null) return;
  const found = await db.selectFrom("teams as t").select("t.id").where("t.id", "=", teamId)
    .where(sql<boolean>`(${role === "admin"} or exists (select from team_members m
      where m.team_id = t.id and m.user_id = ${userId}::uuid))`).executeTakeFirst();
  if (found !== undefined) return;
  throw new ParleyError("invalid", `Cannot share the view: you are in no team "${teamId}"`, {
    fields: [{ path: "teamId", message: "must be the id of a team that you are in" }],
  });
}
