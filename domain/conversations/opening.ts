/** A contact's conversation on the website: found, or opened. */
import type { Db } from "../../db/database.ts";
import { uuidv7 } from "../../db/uuid.ts";
import { ParleyError } from "../../protocol/errors.ts";
import type { EventBus } from "../events.ts";
import { needScope } from "../principal.ts";
import type { Access } from "./access.ts";
import type { Conversations } from "./types.ts";

/** The id of the contact's conversation on the website, which is opened if necessary. */
export async function openWebConversation(
  db: Db,
  bus: EventBus,
  contactId: string,
): Promise<string> {
  const found = await db.selectFrom("conversations").select("id")
    .where("contact_id", "=", contactId).where("platform", "=", "web").executeTakeFirst();
  if (found !== undefined) return found.id;
  const now = new Date();
  const id = uuidv7();
  const created = await db.insertInto("conversations").values({
    id,
    contact_id: contactId,
    platform: "web",
    created_at: now,
    updated_at: now,
    last_activity_at: now,
  }).onConflict((oc) => oc.column("contact_id").where("platform", "=", "web").doNothing())
    .returning("id").executeTakeFirst();
  if (created === undefined) return await openWebConversation(db, bus, contactId);
  bus.emit("conversation.opened", { conversationId: id, contactId });
  return id;
}

export function createOpening(
  { db, bus, access }: { db: Db; bus: EventBus; access: Access },
): Pick<Conversations, "open"> {
  return {
    async open(caller, contactId) {
      needScope(caller, "conversations:write");
      const contact = caller.kind === "visitor" ? caller.userId : contactId;
      if (contact === undefined) {
        throw new ParleyError("invalid", 'Cannot open a conversation: "contactId" is missing', {
          fields: [{ path: "contactId", message: "is needed from an agent" }],
        });
      }
      if (caller.kind === "visitor" && caller.contexts !== undefined) {
        throw new ParleyError("forbidden", "Cannot open a conversation: the token names contexts");
      }
      if (caller.kind === "visitor" && contactId !== undefined && contactId !== contact) {
        throw new ParleyError("forbidden", "Cannot open a conversation: it is somebody else's");
      }
      const known = await db.selectFrom("contacts").select("id").where("id", "=", contact)
        .executeTakeFirst();
      if (known === undefined) {
        throw new ParleyError("not_found", `Cannot find the contact "${contact}"`);
      }
      const row = await access.load(caller, await openWebConversation(db, bus, contact));
      return await access.viewWithUnread(row, caller);
    },
  };
}
