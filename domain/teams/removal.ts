/** Deletes a team, and takes it off its conversations. */
import { sql } from "kysely";
import type { Db } from "../../db/database.ts";
import type { Team } from "../../protocol/teams.ts";
import type { Actor } from "../conversations/unit_of_work.ts";
import type { Writer } from "../conversations/writer.ts";
import { findTeam, lockTeam } from "./teams.ts";

/** Conversations at a time, so that other changes do not wait for all of them. */
const CHUNK = 200;

/**
 * Conversations that are not resolved are changed by the writer, with an event each; of the others
 * only the row. Can be repeated.
 *
 * @param check called with the record; throws to refuse the deletion.
 * @throws {ParleyError} `not_found`; `overloaded`, `unavailable`: a part is done.
 */
export async function deleteTeam(
  { db, writer }: { db: Db; writer: Writer },
  id: string,
  check: (current: Team) => void,
  actor: Actor,
): Promise<void> {
  check(await findTeam(db, id));
  for (let rows = await unresolved(db, id); rows.length > 0; rows = await unresolved(db, id)) {
    const results = await Promise.allSettled(
      rows.map((conversationId) =>
        writer.write({ kind: "team", conversationId, actor, team: null, from: id })
      ),
    );
    for (const result of results) {
      if (result.status === "fulfilled") continue;
      if ((result.reason as { code?: string }).code !== "not_found") throw result.reason;
    }
  }
  for (let changed = CHUNK; changed === CHUNK;) changed = await leaveResolved(db, id);
  await db.transaction().execute(async (trx) => {
    check(await lockTeam(trx, id));
    await trx.deleteFrom("teams").where("id", "=", id).execute();
  });
}

async function unresolved(db: Db, id: string): Promise<string[]> {
  const { rows } = await sql<{ id: string }>`select id from conversations
    where team_id = ${id} and status <> 'resolved' limit ${CHUNK}`.execute(db);
  return rows.map((row) => row.id);
}

async function leaveResolved(db: Db, id: string): Promise<number> {
  const { numAffectedRows } = await sql`update conversations set team_id = null where id in (
    select id from conversations where team_id = ${id} order by id limit ${CHUNK}
    for update skip locked)`.execute(db);
  return Number(numAffectedRows ?? 0n);
}
