/**
 * Contacts that are the same person. The group has a root, which lists show, and the contacts that
 * were merged into it; each keeps its sessions, conversations and rights.
 */
import { sql } from "kysely";
import type { Db } from "../../db/database.ts";
import type { ContactRow } from "../../db/types.ts";
import { uuidv7 } from "../../db/uuid.ts";
import { MAX_MERGED, type Merge } from "../../protocol/contacts.ts";
import { ParleyError } from "../../protocol/errors.ts";
import type { Contact } from "../../protocol/model.ts";
import { type Actor, audit } from "../audit.ts";
import type { EventBus } from "../events.ts";
import { byAgent, type ContactChanges } from "./attributes.ts";
import { noContact, renameInLists, type Renames, updateContact } from "./contacts.ts";

/** The root first, then those that were merged into it, by id. @throws {ParleyError} `not_found`. */
export async function groupOf(db: Db, contactId: string): Promise<ContactRow[]> {
  const { rows } = await sql<ContactRow>`
    with root as (
      select coalesce(merged_into, id) as id from contacts where id = ${contactId}
    )
    select c.* from contacts c, root where c.id = root.id or c.merged_into = root.id
    order by (c.id <> root.id), c.id`.execute(db);
  if (rows.length === 0) throw noContact(contactId);
  return rows;
}

/** The same, locked in the order of ids, which nobody else changes until the end. */
export async function lockGroup(trx: Db, contactId: string): Promise<ContactRow[]> {
  const before = await groupOf(trx, contactId);
  await lock(trx, before.map(({ id }) => id));
  return await groupOf(trx, contactId);
}

/**
 * An agent's changes: names and addresses of the whole group, and attributes of its root; one that is
 * deleted is deleted in all of them.
 *
 * @returns the contact that was asked for
 * @throws {ParleyError} as `updateContact`.
 */
export async function updateGroup(
  db: Db,
  bus: EventBus,
  contactId: string,
  changes: ContactChanges,
  agentName: string,
  renames: Renames,
): Promise<Contact> {
  const members = await groupOf(db, contactId);
  const { attributes = {}, ...rest } = changes;
  const deleted = Object.fromEntries(
    Object.entries(attributes).filter(([, value]) => value === null),
  );
  const updated: Contact[] = [];
  for (const [index, { id }] of members.entries()) {
    const own = { ...rest, attributes: index === 0 ? attributes : deleted };
    updated.push(await updateContact(db, bus, id, own, byAgent(agentName), renames));
  }
  return updated.find(({ id }) => id === contactId)!;
}

async function lock(trx: Db, ids: string[]): Promise<void> {
  await sql`select id from contacts where id = any(${ids}::uuid[]) order by id for update`
    .execute(trx);
}

/**
 * Merges `fromId`, with what was merged into it, into `intoId`. They take its name.
 *
 * @throws {ParleyError} `not_found`; `conflict` where one of them is blocked or merged otherwise.
 */
export async function mergeContacts(
  db: Db,
  bus: EventBus,
  actor: Actor,
  intoId: string,
  fromId: string,
): Promise<void> {
  const { root, moved } = await db.transaction().execute(async (trx) => {
    const ids = [...await groupOf(trx, intoId), ...await groupOf(trx, fromId)].map(({ id }) => id);
    await lock(trx, [...new Set(ids)]);
    const [into, from] = [await groupOf(trx, intoId), await groupOf(trx, fromId)];
    const root = into[0]!;
    check(into, from, fromId);
    await trx.insertInto("contact_merges").values({
      id: uuidv7(),
      into_id: root.id,
      from_id: fromId,
      moved: JSON.stringify(from.map(({ id, name, provenance }) => ({ id, name, provenance }))),
      merged_by: actor.name,
    }).execute();
    const at = new Date().toISOString();
    for (const { id, provenance } of from) {
      await trx.updateTable("contacts").set({
        merged_into: root.id,
        name: root.name,
        provenance: JSON.stringify({ ...provenance, name: { ...byAgent(actor.name ?? ""), at } }),
        updated_at: new Date(),
      }).where("id", "=", id).execute();
      await renameInLists(trx, id, root.name);
    }
    await audit(trx, actor, {
      action: "contact.merged",
      subject: { id: root.id, name: root.name },
      data: { contactId: fromId },
    });
    return { root, moved: from };
  });
  for (const { id } of moved) bus.emit("contact.updated", { contactId: id, name: root.name });
}

function check(into: ContactRow[], from: ContactRow[], fromId: string): void {
  const refuse = (why: string) => new ParleyError("conflict", `Cannot merge the contacts: ${why}`);
  if (into[0]!.id === from[0]!.id) throw refuse("they are the same contact");
  if (from[0]!.id !== fromId) throw refuse("one of them is merged with another contact already");
  if ((into[0]!.blocked_at === null) !== (from[0]!.blocked_at === null)) {
    throw refuse("one of them is blocked");
  }
  if (into.length + from.length > MAX_MERGED) {
    throw refuse(`at most ${MAX_MERGED} contacts can be merged`);
  }
}

/** The merges into a contact that can be undone, the newest first. */
export async function mergesOf(db: Db, rootId: string): Promise<Merge[]> {
  const rows = await db.selectFrom("contact_merges").selectAll()
    .where("into_id", "=", rootId).where("undone_at", "is", null)
    .orderBy("id", "desc").execute();
  return rows.map((row) => ({
    id: row.id,
    contactId: row.from_id,
    name: row.moved.find(({ id }) => id === row.from_id)?.name ?? "",
    by: row.merged_by,
    at: row.merged_at.toISOString(),
  }));
}

/**
 * Contacts get back the name that they had, unless they have another one by now, and what had been
 * merged into them.
 *
 * @throws {ParleyError} `not_found` for a merge that is not of this contact, or that was undone.
 */
export async function undoMerge(
  db: Db,
  bus: EventBus,
  actor: Actor,
  contactId: string,
  mergeId: string,
): Promise<void> {
  const restored = await db.transaction().execute(async (trx) => {
    const [root, ...children] = await lockGroup(trx, contactId);
    const merge = await trx.updateTable("contact_merges").set({ undone_at: new Date() })
      .where("id", "=", mergeId).where("into_id", "=", root!.id).where("undone_at", "is", null)
      .returningAll().executeTakeFirst();
    if (merge === undefined) {
      throw new ParleyError("not_found", `Cannot find the merge "${mergeId}"`);
    }
    const restored: { id: string; name: string }[] = [];
    for (const before of merge.moved) {
      const child = children.find(({ id }) => id === before.id);
      // It was erased meanwhile.
      if (child === undefined) continue;
      const keeps = child.name !== root!.name;
      const name = keeps ? child.name : before.name;
      await trx.updateTable("contacts").set({
        merged_into: child.id === merge.from_id ? null : merge.from_id,
        name,
        provenance: JSON.stringify(keeps ? child.provenance : before.provenance),
        updated_at: new Date(),
      }).where("id", "=", child.id).execute();
      await renameInLists(trx, child.id, name);
      restored.push({ id: child.id, name });
    }
    await audit(trx, actor, {
      action: "contact.unmerged",
      subject: { id: root!.id, name: root!.name },
      data: { contactId: merge.from_id },
    });
    return restored;
  });
  for (const { id, name } of restored) bus.emit("contact.updated", { contactId: id, name });
}
