/** Teams and their members. The writer changes which conversation a team has. */
import { sql } from "kysely";
import type { Db } from "../../db/database.ts";
import type { TeamRow } from "../../db/types.ts";
import { uuidv7 } from "../../db/uuid.ts";
import { ParleyError } from "../../protocol/errors.ts";
import {
  type CreateTeamBody,
  MAX_TEAMS,
  type Team,
  type UpdateTeamBody,
} from "../../protocol/teams.ts";

type FullRow = TeamRow & { member_ids: string[] };

function toTeam(row: FullRow): Team {
  return {
    id: row.id,
    name: row.name,
    assignment: row.assignment,
    capacity: row.capacity,
    memberIds: row.member_ids,
    createdAt: row.created_at.toISOString(),
    updatedAt: row.updated_at.toISOString(),
  };
}

function selectTeams(db: Db) {
  return db.selectFrom("teams as t").selectAll("t").select(
    sql<string[]>`array(select m.user_id::text from team_members m where m.team_id = t.id
      order by m.user_id)`.as("member_ids"),
  );
}

/** All teams by name. */
export async function listTeams(db: Db): Promise<Team[]> {
  const rows = await selectTeams(db).orderBy(sql`lower(t.name)`).orderBy("t.id").execute();
  return rows.map(toTeam);
}

/** @throws {ParleyError} `not_found` */
export async function findTeam(db: Db, id: string): Promise<Team> {
  const row = await selectTeams(db).where("t.id", "=", id).executeTakeFirst();
  if (row === undefined) throw notFound(id);
  return toTeam(row);
}

/** For what names a team in its field `teamId`. @throws {ParleyError} `invalid` */
export async function teamNamed(db: Db, id: string): Promise<{ id: string; name: string }> {
  const row = await db.selectFrom("teams").select(["id", "name"]).where("id", "=", id)
    .executeTakeFirst();
  if (row !== undefined) return row;
  throw new ParleyError("invalid", `Cannot choose the team: there is no "${id}"`, {
    fields: [{ path: "teamId", message: "must be a team's id" }],
  });
}

/**
 * @throws {ParleyError} `conflict` when the name is taken, or there are as many as there may be;
 * `invalid` for a member who is no user.
 */
export async function createTeam(db: Db, values: CreateTeamBody): Promise<Team> {
  const { name, assignment = "none", capacity = null, memberIds = [] } = values;
  const id = uuidv7();
  await db.transaction().execute(async (trx) => {
    await sql`select pg_advisory_xact_lock(${LOCK_KEY})`.execute(trx);
    await needFree(trx, name);
    const { n } = await trx.selectFrom("teams").select((eb) => eb.fn.countAll<number>().as("n"))
      .executeTakeFirstOrThrow();
    if (Number(n) >= MAX_TEAMS) {
      throw new ParleyError("conflict", `Cannot add a team: there are ${n} already`);
    }
    await trx.insertInto("teams").values({ id, name, assignment, capacity }).execute();
    await setMembers(trx, id, memberIds);
  }).catch(asTaken(name));
  return await findTeam(db, id);
}

/**
 * @param check called with the locked record; throws to refuse the change.
 * @throws {ParleyError} `not_found`, `conflict` when the name is taken, `invalid` for a member who is
 * no user.
 */
export async function updateTeam(
  db: Db,
  id: string,
  { name, assignment, capacity, memberIds }: UpdateTeamBody,
  check: (current: Team) => void,
): Promise<Team> {
  return await db.transaction().execute(async (trx) => {
    const current = await lockTeam(trx, id);
    check(current);
    if (name !== undefined) await needFree(trx, name, id);
    if (memberIds !== undefined) await setMembers(trx, id, memberIds);
    await trx.updateTable("teams").set({
      ...(name === undefined ? {} : { name }),
      ...(assignment === undefined ? {} : { assignment }),
      ...(capacity === undefined ? {} : { capacity }),
      updated_at: new Date(Math.max(Date.now(), Date.parse(current.updatedAt) + 1)),
    }).where("id", "=", id).execute();
    return await findTeam(trx, id);
  }).catch(asTaken(name ?? ""));
}

/** @throws {ParleyError} `not_found` */
export async function lockTeam(trx: Db, id: string): Promise<Team> {
  await sql`select from teams where id = ${id}::uuid for update`.execute(trx);
  return await findTeam(trx, id);
}

/** Those who stay keep their turn. */
async function setMembers(trx: Db, id: string, userIds: readonly string[]): Promise<void> {
  const known = await trx.selectFrom("users").select("id")
    .where(sql<boolean>`id = any(${userIds}::uuid[])`).execute();
  const ids = new Set(known.map((user) => user.id));
  const unknown = userIds.findIndex((userId) => !ids.has(userId));
  if (unknown !== -1) {
    const message = `Cannot store the team: there is no user "${userIds[unknown]}"`;
    throw new ParleyError("invalid", message, {
      fields: [{ path: `memberIds.${unknown}`, message: "must be a user's id" }],
    });
  }
  await sql`delete from team_members
    where team_id = ${id} and user_id <> all(${userIds}::uuid[])`.execute(trx);
  // New ones wait as long as those who had the last turn.
  await sql`insert into team_members (team_id, user_id, last_turn)
    select ${id}::uuid, u, coalesce(
      (select max(last_turn) from team_members where team_id = ${id}::uuid), 0)
    from unnest(${userIds}::uuid[]) u on conflict do nothing`.execute(trx);
}

async function needFree(trx: Db, name: string, own?: string): Promise<void> {
  const other = await trx.selectFrom("teams").select(["id", "name"])
    .where(sql<boolean>`lower(name) = lower(${name})`).executeTakeFirst();
  if (other !== undefined && other.id !== own) throw taken(other.name);
}

/** For an error of a change: another request may have taken the name after the check. */
function asTaken(name: string): (error: unknown) => never {
  return (error) => {
    throw (error as { code?: string }).code === "23505" ? taken(name) : error;
  };
}

/** "team" in ASCII: the number of teams is checked and changed under this lock. */
const LOCK_KEY = 0x7465616d;

function taken(name: string): ParleyError {
  return new ParleyError("conflict", `Cannot store the team: there is "${name}" already`, {
    fields: [{ path: "name", message: "is taken" }],
  });
}

function notFound(id: string): ParleyError {
  return new ParleyError("not_found", `Cannot find the team "${id}"`);
}
