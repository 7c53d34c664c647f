import type { Db } from "../../db/database.ts";
import type { ContactRow } from "../../db/types.ts";
import { ParleyError } from "../../protocol/errors.ts";
import type { Contact } from "../../protocol/model.ts";
import type { EventBus } from "../events.ts";

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

/** What an unnamed visitor is called: stable, short, and not mistaken for a person's name. */
export function visitorName(contactId: string): string {
  return `Visitor ${contactId.slice(-4)}`;
}

export async function findContact(db: Db, id: string): Promise<Contact> {
  const row = await db.selectFrom("contacts").selectAll().where("id", "=", id)
    .executeTakeFirst();
  if (row === undefined) throw new ParleyError("not_found", `Cannot find the contact "${id}"`);
  return toContact(row);
}

export async function updateContact(
  db: Db,
  bus: EventBus,
  id: string,
  changes: { name?: string | undefined; email?: string | null | undefined },
): Promise<Contact> {
  const row = await db.transaction().execute(async (trx) => {
    const row = await trx.updateTable("contacts").set({
      ...(changes.name === undefined ? {} : { name: changes.name }),
      ...(changes.email === undefined ? {} : { email: changes.email }),
      updated_at: new Date(),
    }).where("id", "=", id).returningAll().executeTakeFirst();
    if (row === undefined) throw new ParleyError("not_found", `Cannot find the contact "${id}"`);
    if (changes.name !== undefined) {
      // What a visitor wrote before anybody knew their name is theirs, too.
      await trx.updateTable("chat_messages").set({ sender_name: row.name })
        .where("sender_id", "=", id)
        .where((eb) =>
          eb(
            "conversation_id",
            "in",
            eb.selectFrom("conversations").select("id")
              .where("contact_id", "=", id),
          )
        ).execute();
    }
    return row;
  });
  bus.emit("contact.updated", { contactId: id, name: row.name });
  return toContact(row);
}

/** Newest first, by id (UUIDv7 sorts by creation). `cursor` is the last id of the page before. */
export async function listContacts(
  db: Db,
  query: { cursor?: string | undefined; limit: number },
): Promise<{ items: Contact[]; nextCursor: string | null }> {
  const rows = await db.selectFrom("contacts").selectAll()
    .$if(query.cursor !== undefined, (qb) => qb.where("id", "<", query.cursor!))
    .orderBy("id", "desc").limit(query.limit + 1).execute();
  const items = rows.slice(0, query.limit).map(toContact);
  return { items, nextCursor: rows.length > query.limit ? items.at(-1)!.id : null };
}

/** Remembers that a contact was here until now. */
export async function touchContact(db: Db, id: string): Promise<void> {
  await db.updateTable("contacts").set({ last_seen_at: new Date() }).where("id", "=", id)
    .execute();
}
