import type { Db } from "../../db/database.ts";
import type { CannedResponseRow } from "../../db/types.ts";
import { uuidv7 } from "../../db/uuid.ts";
import { ParleyError } from "../../protocol/errors.ts";
import type {
  CannedResponse,
  CreateCannedResponseBody,
  UpdateCannedResponseBody,
} from "../../protocol/workspace.ts";
import { cutPage, idOfCursor } from "../cursor.ts";

function toCannedResponse(row: CannedResponseRow): CannedResponse {
  return {
    id: row.id,
    userId: row.user_id,
    shortCode: row.short_code,
    content: row.content,
    createdAt: row.created_at.toISOString(),
    updatedAt: row.updated_at.toISOString(),
  };
}

/** Newest first, by id. `q` is what the short code starts with. */
export async function listCannedResponses(
  db: Db,
  query: { q?: string | undefined; cursor?: string | undefined; limit: number },
): Promise<{ items: CannedResponse[]; nextCursor: string | null }> {
  const { q, limit } = query;
  const below = idOfCursor(query.cursor);
  const rows = await db.selectFrom("canned_responses").selectAll()
    .$if(
      q !== undefined,
      (qb) => qb.where((eb) => eb.fn("starts_with", ["short_code", eb.val(q!.toLowerCase())])),
    )
    .$if(below !== undefined, (qb) => qb.where("id", "<", below!))
    .orderBy("id", "desc").limit(limit + 1).execute();
  const page = cutPage(rows, limit, ({ id }) => id);
  return { items: page.rows.map(toCannedResponse), nextCursor: page.nextCursor };
}

/** @throws {ParleyError} `not_found` */
export async function findCannedResponse(db: Db, id: string): Promise<CannedResponse> {
  const row = await db.selectFrom("canned_responses").selectAll().where("id", "=", id)
    .executeTakeFirst();
  if (row === undefined) throw notFound(id);
  return toCannedResponse(row);
}

/** @throws {ParleyError} `conflict` when the short code is taken. */
export async function createCannedResponse(
  db: Db,
  userId: string,
  { shortCode, content }: CreateCannedResponseBody,
): Promise<CannedResponse> {
  const row = await db.insertInto("canned_responses").values({
    id: uuidv7(),
    user_id: userId,
    short_code: shortCode,
    content,
  }).onConflict((oc) => oc.column("short_code").doNothing()).returningAll().executeTakeFirst();
  if (row === undefined) throw taken(shortCode);
  return toCannedResponse(row);
}

/**
 * @param check called with the locked record; throws to refuse the change.
 * @throws {ParleyError} `not_found`, `conflict` when the short code is taken.
 */
export async function updateCannedResponse(
  db: Db,
  id: string,
  { shortCode, content }: UpdateCannedResponseBody,
  check: (current: CannedResponse) => void,
): Promise<CannedResponse> {
  return await db.transaction().execute(async (trx) => {
    const current = await trx.selectFrom("canned_responses").selectAll().where("id", "=", id)
      .forUpdate().executeTakeFirst();
    if (current === undefined) throw notFound(id);
    check(toCannedResponse(current));
    if (shortCode !== undefined && shortCode !== current.short_code) {
      const other = await trx.selectFrom("canned_responses").select("id")
        .where("short_code", "=", shortCode).executeTakeFirst();
      if (other !== undefined) throw taken(shortCode);
    }
    const row = await trx.updateTable("canned_responses").set({
      ...(shortCode === undefined ? {} : { short_code: shortCode }),
      ...(content === undefined ? {} : { content }),
      updated_at: new Date(Math.max(Date.now(), current.updated_at.getTime() + 1)),
    }).where("id", "=", id).returningAll().executeTakeFirstOrThrow();
    return toCannedResponse(row);
  }).catch((error) => {
    // Another request took the short code between the check and the change.
    throw (error as { code?: string }).code === "23505" ? taken(shortCode!) : error;
  });
}

/** @throws {ParleyError} `not_found` */
export async function deleteCannedResponse(
  db: Db,
  id: string,
  check: (current: CannedResponse) => void,
): Promise<void> {
  await db.transaction().execute(async (trx) => {
    const current = await trx.selectFrom("canned_responses").selectAll().where("id", "=", id)
      .forUpdate().executeTakeFirst();
    if (current === undefined) throw notFound(id);
    check(toCannedResponse(current));
    await trx.deleteFrom("canned_responses").where("id", "=", id).execute();
  });
}

function notFound(id: string): ParleyError {
  return new ParleyError("not_found", `Cannot find the canned response "${id}"`);
}

function taken(shortCode: string): ParleyError {
  return new ParleyError("conflict", `Cannot store the canned response: "${shortCode}" is taken`);
}
