/** A contact's conversation on the website: found, or opened. */
import { sql } from "kysely";
import type { Db } from "../../db/database.ts";
import { uuidv7 } from "../../db/uuid.ts";
import { ParleyError } from "../../protocol/errors.ts";
import type { EventBus } from "../events.ts";
import type { QueueSettingsStore } from "../workspace/queue_settings.ts";
import { needScope, needUnblocked } from "../principal.ts";
import type { Access } from "./access.ts";
import type { Conversations } from "./types.ts";

/**
 * The id of the contact's conversation on the website, which is opened if necessary.
 *
 * @param teamId the team that a new one belongs to, if it exists
 */
export async function openWebConversation(
  db: Db,
  bus: EventBus,
  contactId: string,
  teamId: string | null,
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
    ...(teamId === null
      ? {}
      : { team_id: sql<string>`(select id from teams where id = ${teamId}::uuid)` }),
    created_at: now,
    updated_at: now,
    last_activity_at: now,
  }).onConflict((oc) => oc.column("contact_id").where("platform", "=", "web").doNothing())
    .returning("id").executeTakeFirst();
  if (created === undefined) return await openWebConversation(db, bus, contactId, teamId);
  bus.emit("conversation.opened", { conversationId: id, contactId });
  return id;
}

export function createOpening(
  { db, bus, access, queueSettings }: {
    db: Db;
    bus: EventBus;
    access: Access;
    queueSettings: Pick<QueueSettingsStore, "current">;
  },
): Pick<Conversations, "open"> {
  return {
    async open(caller, contactId) {
      needScope(caller, "conversations:write");
      needUnblocked(caller);
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
      const { teamId } = await queueSettings.current();
      const row = await access.load(
        caller,
        await openWebConversation(db, bus, contact, teamId),
      );
      return await access.viewWithUnread(row, caller);
    },
  };
}
