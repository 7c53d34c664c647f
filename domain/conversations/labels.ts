/** The workspace's labels. The writer changes which of them a conversation has. */
import { sql } from "kysely";
import type { Db } from "../../db/database.ts";
import type { LabelRow } from "../../db/types.ts";
import { uuidv7 } from "../../db/uuid.ts";
import { ParleyError } from "../../protocol/errors.ts";
import { type CreateLabelBody, MAX_LABELS, type UpdateLabelBody } from "../../protocol/labels.ts";
import type { Label, LabelColor } from "../../protocol/model.ts";
import { checkLabelCount, labelsAfter, requiredLabels, unknownLabel } from "./label_change.ts";
import type { LabelChange } from "./unit_of_work.ts";

function toLabel(row: LabelRow): Label {
  return {
    id: row.id,
    name: row.name,
    color: row.color as LabelColor,
    description: row.description,
    createdAt: row.created_at.toISOString(),
    updatedAt: row.updated_at.toISOString(),
  };
}

/** All labels by name. */
export async function listLabels(db: Db): Promise<Label[]> {
  const rows = await db.selectFrom("labels").selectAll()
    .orderBy(sql`lower(name)`).orderBy("id").execute();
  return rows.map(toLabel);
}

/** @throws {ParleyError} `not_found` */
export async function findLabel(db: Db, id: string): Promise<Label> {
  const row = await db.selectFrom("labels").selectAll().where("id", "=", id).executeTakeFirst();
  if (row === undefined) throw notFound(id);
  return toLabel(row);
}

/** @throws {ParleyError} `conflict` when the name is taken, or there are as many as there may be. */
export async function createLabel(
  db: Db,
  { name, color = "gray", description }: CreateLabelBody,
): Promise<Label> {
  const row = await db.transaction().execute(async (trx) => {
    await sql`select pg_advisory_xact_lock(${LOCK_KEY})`.execute(trx);
    await needFree(trx, name);
    const { n } = await trx.selectFrom("labels").select((eb) => eb.fn.countAll<number>().as("n"))
      .executeTakeFirstOrThrow();
    if (Number(n) >= MAX_LABELS) {
      throw new ParleyError("conflict", `Cannot add a label: there are ${n} already`);
    }
    return await trx.insertInto("labels").values({
      id: uuidv7(),
      name,
      color,
      description: description || null,
    }).returningAll().executeTakeFirstOrThrow();
  }).catch(asTaken(name));
  return toLabel(row);
}

/**
 * @param check called with the locked record; throws to refuse the change.
 * @throws {ParleyError} `not_found`, `conflict` when the name is taken.
 */
export async function updateLabel(
  db: Db,
  id: string,
  { name, color, description }: UpdateLabelBody,
  check: (current: Label) => void,
): Promise<Label> {
  const row = await db.transaction().execute(async (trx) => {
    const current = await lock(trx, id);
    check(toLabel(current));
    if (name !== undefined) await needFree(trx, name, id);
    return await trx.updateTable("labels").set({
      ...(name === undefined ? {} : { name }),
      ...(color === undefined ? {} : { color }),
      ...(description === undefined ? {} : { description: description || null }),
      updated_at: new Date(Math.max(Date.now(), current.updated_at.getTime() + 1)),
    }).where("id", "=", id).returningAll().executeTakeFirstOrThrow();
  }).catch(asTaken(name ?? ""));
  return toLabel(row);
}

/** Also takes it off every conversation. @throws {ParleyError} `not_found` */
export async function deleteLabel(
  db: Db,
  id: string,
  check: (current: Label) => void,
): Promise<void> {
  await db.transaction().execute(async (trx) => {
    check(toLabel(await lock(trx, id)));
    await trx.deleteFrom("labels").where("id", "=", id).execute();
  });
}

/**
 * Checks the labels before anything of a request is done; the writer checks them again.
 *
 * @throws {ParleyError} `invalid` with the first label that does not exist; `conflict` where the
 * conversation would have too many.
 */
export async function needLabels(
  db: Db,
  conversationId: string,
  change: LabelChange,
): Promise<void> {
  const ids = requiredLabels(change);
  if (ids.length === 0) return;
  const [rows, had] = await Promise.all([
    db.selectFrom("labels").select("id").where("id", "in", ids).execute(),
    db.selectFrom("conversation_labels").select("label_id")
      .where("conversation_id", "=", conversationId).execute(),
  ]);
  const known = new Set(rows.map((row) => row.id));
  for (const id of ids) if (!known.has(id)) throw unknownLabel(change, id);
  checkLabelCount(labelsAfter(change, had.map((row) => row.label_id)).size);
}

async function lock(trx: Db, id: string): Promise<LabelRow> {
  const row = await trx.selectFrom("labels").selectAll().where("id", "=", id).forUpdate()
    .executeTakeFirst();
  if (row === undefined) throw notFound(id);
  return row;
}

async function needFree(trx: Db, name: string, own?: string): Promise<void> {
  const other = await trx.selectFrom("labels").select(["id", "name"])
    .where(sql<boolean>`lower(name) = lower(${name})`).executeTakeFirst();
  if (other !== undefined && other.id !== own) throw taken(other.name);
}

/** For an error of a change: another request may have taken the name after the check. */
function asTaken(name: string): (error: unknown) => never {
  return (error) => {
    throw (error as { code?: string }).code === "23505" ? taken(name) : error;
  };
}

/** "labl" in ASCII: the number of labels is checked and changed under this lock. */
const LOCK_KEY = 0x6c61626c;

function taken(name: string): ParleyError {
  return new ParleyError("conflict", `Cannot store the label: there is "${name}" already`, {
    fields: [{ path: "name", message: "is taken" }],
  });
}

function notFound(id: string): ParleyError {
  return new ParleyError("not_found", `Cannot find the label "${id}"`);
}
