import type { Db } from "../../db/database.ts";
import type { ContactRow } from "../../db/types.ts";
import { uuidv7 } from "../../db/uuid.ts";
import { ParleyError } from "../../protocol/errors.ts";
import type { Contact } from "../../protocol/model.ts";
import { changesAnything, columnsOf, type ContactChanges, type Setter } from "./attributes.ts";
import type { EventBus } from "../events.ts";
import type { KeyedLimiter } from "../rate_limit.ts";

export function toContact(
  row: Pick<ContactRow, "id" | "name" | "email" | "created_at" | "last_seen_at">,
): Contact {
  return {
    id: row.id,
    name: row.name,
    email: row.email,
    createdAt: row.created_at.toISOString(),
    lastSeenAt: row.last_seen_at?.toISOString() ?? null,
  };
}

/**
 * The contact with an id of another platform, created where there is none.
 *
 * @param name of a new contact; default: the name of an unnamed visitor.
 */
export async function findOrCreateByIdentity(
  db: Db,
  identity: { platform: string; externalId: string; verified?: boolean },
  name?: string,
): Promise<{ id: string; name: string }> {
  const { platform, externalId, verified = false } = identity;
  const find = (on: Db) =>
    on.selectFrom("contact_identities as i").innerJoin("contacts as c", "c.id", "i.contact_id")
      .select(["c.id", "c.name"])
      .where("i.platform", "=", platform).where("i.external_id", "=", externalId)
      .executeTakeFirst();
  const known = await find(db);
  if (known !== undefined) return known;
  return await db.transaction().execute(async (trx) => {
    const id = uuidv7();
    const contact = { id, name: name ?? visitorName(id) };
    await trx.insertInto("contacts").values(contact).execute();
    const made = await trx.insertInto("contact_identities").values({
      id: uuidv7(),
      contact_id: id,
      platform,
      external_id: externalId,
      verified,
    }).onConflict((oc) => oc.columns(["platform", "external_id"]).doNothing())
      .returning("id").executeTakeFirst();
    if (made !== undefined) return contact;
    // Another connection of the same person has created it.
    await trx.deleteFrom("contacts").where("id", "=", id).execute();
    return (await find(trx))!;
  });
}

/** The name of an unnamed visitor: stable, short, and unlike a person's name. */
export function visitorName(contactId: string): string {
  return `Visitor ${contactId.slice(-4)}`;
}

export async function findContact(db: Db, id: string): Promise<Contact> {
  const row = await db.selectFrom("contacts").selectAll().where("id", "=", id)
    .executeTakeFirst();
  if (row === undefined) throw noContact(id);
  return toContact(row);
}

/** How often each contact may get another name. */
export type Renames = Pick<KeyedLimiter, "take">;

/**
 * Writes only what has changed. A new name is not copied into old messages: queries of messages join
 * the current name of their sender.
 *
 * @throws {ParleyError} `not_found`, `rate_limited`.
 */
export async function updateContact(
  db: Db,
  bus: EventBus,
  id: string,
  changes: ContactChanges,
  by: Setter,
  renames: Renames,
): Promise<Contact> {
  const before = await db.selectFrom("contacts").selectAll().where("id", "=", id)
    .executeTakeFirst();
  if (before === undefined) throw noContact(id);
  const { name = before.name } = changes;
  if (!changesAnything(before, changes, by)) return toContact(before);
  if (name !== before.name) takeRename(renames, id);
  const row = await db.transaction().execute(async (trx) => {
    const locked = await trx.selectFrom("contacts").selectAll().where("id", "=", id).forUpdate()
      .executeTakeFirst();
    if (locked === undefined) throw noContact(id);
    const row = await trx.updateTable("contacts").set({
      ...columnsOf(locked, changes, by),
      updated_at: new Date(),
    }).where("id", "=", id).returningAll().executeTakeFirstOrThrow();
    await renameInLists(trx, id, name);
    return row;
  });
  bus.emit("contact.updated", { contactId: id, name: row.name });
  return toContact(row);
}

/** Rows of lists have a copy of the name. Locked in the order of ids, as the writer does. */
export async function renameInLists(trx: Db, id: string, name: string): Promise<void> {
  const last = await trx.selectFrom("conversations").select("id")
    .where("last_message_sender_id", "=", id)
    .where("last_message_sender_name", "is distinct from", name)
    .where((eb) => eb.or([eb("contact_id", "=", id), eb("id", "in", participations(trx, id))]))
    .orderBy("id").forUpdate().execute();
  if (last.length === 0) return;
  await trx.updateTable("conversations").set({ last_message_sender_name: name })
    .where("last_message_sender_id", "=", id)
    .where("id", "in", last.map((conversation) => conversation.id)).execute();
}

function takeRename(renames: Renames, id: string): void {
  const retryAfter = renames.take(id);
  if (retryAfter === 0) return;
  throw new ParleyError("rate_limited", "Cannot change the name: it was changed too often", {
    retryAfter,
    limit: "LIMIT_RENAMES_PER_MINUTE",
  });
}

export function noContact(id: string): ParleyError {
  return new ParleyError("not_found", `Cannot find the contact "${id}"`);
}

/** Conversations in which someone wrote or read. */
export function participations(db: Db, userId: string) {
  return db.selectFrom("participants").select("conversation_id").where("user_id", "=", userId);
}

/** Records that a contact was connected until now. */
export async function touchContact(db: Db, id: string): Promise<void> {
  await db.updateTable("contacts").set({ last_seen_at: new Date() }).where("id", "=", id)
    .execute();
}
