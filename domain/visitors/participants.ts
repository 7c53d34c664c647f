/** Participants: people of a website who share contexts, identified by their tokens. */
import { decodeJwt } from "jose";
import type { Db } from "../../db/database.ts";
import type { EventBus } from "../events.ts";
import type { VisitorPrincipal } from "../principal.ts";
import { BY_TOKEN } from "./attributes.ts";
import { isBlocked } from "./blocking.ts";
import { findOrCreateByIdentity, type Renames, updateContact } from "./contacts.ts";
import { ISSUER, type ParticipantTokens } from "./participant_tokens.ts";

export { createParticipantTokens, type ParticipantTokens } from "./participant_tokens.ts";

/** The platform of contacts that are identified by the `sub` of their tokens. */
const TOKEN_PLATFORM = "token";

/** Whether a token is of an agent's sign-in; does not verify it. */
export function isAgentToken(token: string): boolean {
  try {
    const { iss, sid } = decodeJwt(token);
    return iss === ISSUER && typeof sid === "string";
  } catch {
    return false;
  }
}

/** The participant of a token: a contact, which is created or renamed if necessary. */
export async function authenticateParticipant(
  db: Db,
  bus: EventBus,
  tokens: ParticipantTokens,
  token: string,
  renames: Renames,
): Promise<VisitorPrincipal> {
  const claims = await tokens.verify(token);
  const contact = await contactOfParticipant(db, bus, claims, renames);
  return {
    kind: "visitor",
    userId: contact.id,
    userName: contact.name,
    sessionHash: null,
    widgetId: null,
    // The token is enough; which websites may connect at all is checked before.
    allowedOrigins: ["*"],
    contexts: claims.contexts ?? [],
    ...(claims.contexts === null ? { anyContext: true as const } : {}),
    ...(await isBlocked(db, contact.id) ? { isBlocked: true as const } : {}),
    tokenId: claims.tokenId,
    expiresAt: claims.expiresAt,
  };
}

/** The contact with a site's id of a person, renamed where another name is given. */
export async function contactOfParticipant(
  db: Db,
  bus: EventBus,
  { externalId, name }: { externalId: string; name: string | undefined },
  renames: Renames,
): Promise<{ id: string; name: string }> {
  const identity = { platform: TOKEN_PLATFORM, externalId, verified: true };
  const contact = await findOrCreateByIdentity(db, identity, name);
  if (name === undefined || name === contact.name) return contact;
  return await updateContact(db, bus, contact.id, { name }, BY_TOKEN, renames);
}
