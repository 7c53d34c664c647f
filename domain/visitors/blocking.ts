/** Contacts who may not write: they still read what they have, and are told why they cannot write. */
import type { Db } from "../../db/database.ts";
import { type Actor, audit } from "../audit.ts";
import type { EventBus } from "../events.ts";
import type { VisitorPrincipal } from "../principal.ts";
import { lockGroup } from "./groups.ts";

/**
 * Blocks or unblocks a contact, with those that are merged with it. Open connections are told by the
 * event; every other request reads it with its session.
 *
 * @returns since when they are blocked
 * @throws {ParleyError} `not_found`.
 */
export async function setBlocked(
  db: Db,
  bus: EventBus,
  actor: Actor,
  contactId: string,
  isBlocked: boolean,
): Promise<Date | null> {
  const { members, at } = await db.transaction().execute(async (trx) => {
    const members = await lockGroup(trx, contactId);
    const [root] = members;
    if ((root!.blocked_at !== null) === isBlocked) return { members: [], at: root!.blocked_at };
    const at = isBlocked ? new Date() : null;
    await trx.updateTable("contacts").set({
      blocked_at: at,
      blocked_by: isBlocked ? actor.name : null,
      updated_at: new Date(),
    }).where("id", "in", members.map(({ id }) => id)).execute();
    await audit(trx, actor, {
      action: isBlocked ? "contact.blocked" : "contact.unblocked",
      subject: { id: root!.id, name: root!.name },
    });
    return { members, at };
  });
  for (const { id } of members) bus.emit("contact.blocked", { contactId: id, isBlocked });
  return at;
}

export async function isBlocked(db: Db, contactId: string): Promise<boolean> {
  const row = await db.selectFrom("contacts").select("id").where("id", "=", contactId)
    .where("blocked_at", "is not", null).executeTakeFirst();
  return row !== undefined;
}

export function withBlock(principal: VisitorPrincipal, isBlocked: boolean): VisitorPrincipal {
  const { isBlocked: _, ...rest } = principal;
  return isBlocked ? { ...rest, isBlocked } : rest;
}
