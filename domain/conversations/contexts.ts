/**
 * Contexts: conversations of several people that a website names itself, such as "context_123". Each
 * name has one conversation, which its first participant opens. The id of a conversation is a
 * context, too: that conversation, of any platform.
 */
import type { Db } from "../../db/database.ts";
import { uuidv7 } from "../../db/uuid.ts";
import { isConversationId } from "../../protocol/contexts.ts";
import { ParleyError } from "../../protocol/errors.ts";
import type { EventBus } from "../events.ts";
import type { AgentPrincipal, Principal, VisitorPrincipal } from "../principal.ts";
import { findOrCreateByIdentity } from "../visitors/contacts.ts";
import { maySee } from "./rights.ts";
import { findConversation } from "./queries.ts";

/** The platform of contexts' conversations. A contact has only one of the platform "web". */
export const CONTEXT_PLATFORM = "context";

/**
 * The context that a principal requests; by default the only one of their token.
 *
 * @throws {ParleyError} `forbidden` for one that is not in the token, `invalid` where none is given.
 */
export function contextFor(principal: Principal, requested: string | undefined): string {
  const named = namedContexts(principal);
  const contextId = requested ?? (named?.length === 1 ? named[0] : undefined);
  if (contextId === undefined) {
    throw new ParleyError("invalid", 'Cannot choose the context: "contextId" is missing', {
      fields: [{ path: "contextId", message: "is needed" }],
    });
  }
  // A conversation's id has to be in the token: the conversation may be anybody's.
  const isOpen = named === undefined &&
    (principal.kind === "agent" || !isConversationId(contextId));
  if (!isOpen && !named?.includes(contextId)) {
    throw new ParleyError(
      "forbidden",
      `Cannot enter the context: the token does not name "${contextId}"`,
    );
  }
  return contextId;
}

/**
 * The same for a principal who enters it. One who may enter any context has rights to this one alone
 * from then on.
 */
export function enterContext(principal: Principal, requested: string | undefined): string {
  const contextId = contextFor(principal, requested);
  if (principal.kind === "visitor" && principal.anyContext) {
    delete principal.anyContext;
    principal.contexts = [contextId];
  }
  return contextId;
}

/** undefined: any. */
function namedContexts(principal: Principal): readonly string[] | undefined {
  return principal.kind === "agent" || principal.anyContext ? undefined : principal.contexts ?? [];
}

/**
 * The conversation of a context; null where nobody has opened it. The caller checks rights to the
 * context by `contextFor`.
 */
export async function findContextConversation(db: Db, contextId: string): Promise<string | null> {
  const row = await db.selectFrom("conversations").select("id")
    .where(isConversationId(contextId) ? "id" : "context_id", "=", contextId)
    .executeTakeFirst();
  return row?.id ?? null;
}

/**
 * The id of a context's conversation, which is opened if necessary.
 *
 * @throws {ParleyError} `not_found` for the id of an unknown conversation.
 */
export async function openContext(
  db: Db,
  bus: EventBus,
  principal: Principal,
  contextId: string,
): Promise<string> {
  if (isConversationId(contextId)) {
    const row = await findConversation(db, contextId);
    if (row !== null && maySee(principal, row)) return row.id;
    throw new ParleyError("not_found", `Cannot find the conversation "${contextId}"`);
  }
  const found = await findContextConversation(db, contextId);
  const id = found ?? await createContext(db, principal, contextId);
  if (principal.kind === "visitor") await replacePlaceholder(db, bus, principal, id, contextId);
  return id;
}

async function createContext(db: Db, principal: Principal, contextId: string): Promise<string> {
  const now = new Date();
  const created = await db.insertInto("conversations").values({
    id: uuidv7(),
    contact_id: await contactOf(db, principal, contextId),
    platform: CONTEXT_PLATFORM,
    context_id: contextId,
    created_at: now,
    updated_at: now,
    last_activity_at: now,
  }).onConflict((oc) => oc.column("context_id").where("context_id", "is not", null).doNothing())
    .returning("id").executeTakeFirst();
  // null: somebody else has created it.
  return created?.id ?? (await findContextConversation(db, contextId))!;
}

/** The contact of the conversation: who opened it, or a placeholder until a participant comes. */
async function contactOf(
  db: Db,
  principal: AgentPrincipal | VisitorPrincipal,
  contextId: string,
): Promise<string> {
  if (principal.kind === "visitor") return principal.userId;
  const placeholder = { platform: CONTEXT_PLATFORM, externalId: contextId };
  return (await findOrCreateByIdentity(db, placeholder, contextId)).id;
}

/** Replaces the placeholder contact by the first participant. */
async function replacePlaceholder(
  db: Db,
  bus: EventBus,
  participant: VisitorPrincipal,
  conversationId: string,
  contextId: string,
): Promise<void> {
  const placeholder = await db.selectFrom("contact_identities").select("contact_id")
    .where("platform", "=", CONTEXT_PLATFORM).where("external_id", "=", contextId)
    .executeTakeFirst();
  if (placeholder === undefined) return;
  const replaced = await db.updateTable("conversations").set({ contact_id: participant.userId })
    .where("id", "=", conversationId).where("contact_id", "=", placeholder.contact_id)
    .returning("id").executeTakeFirst();
  if (replaced === undefined) return;
  await db.deleteFrom("contacts").where("id", "=", placeholder.contact_id).execute();
  const { userId: contactId, userName: name } = participant;
  bus.emit("contact.updated", { contactId, name });
}
