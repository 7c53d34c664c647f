/** Names of contexts and their participants, and the request for a participant's token. */
import { z } from "zod";
import { Timestamp } from "./model.ts";
import { nameOf } from "./text_fields.ts";

const Printable = z.string().regex(
  /^[\p{L}\p{M}\p{N}\p{P}\p{S} ]{1,200}$/u,
  "must be 1 to 200 printable characters",
);

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** Whether a context is named by the id of a conversation instead of by a name of the site's own. */
export function isConversationId(contextId: string): boolean {
  return UUID.test(contextId);
}

/** An id is compared in lower case, a name as it is. */
export const ContextId = Printable.overwrite((name) =>
  isConversationId(name) ? name.toLowerCase() : name
);

/** In credentials: null means none, as where it is left out. */
export const OptionalContextId = ContextId.nullish().transform((id) => id ?? undefined);

/** The site's own id of a person. */
export const ExternalId = Printable;

export const ParticipantTokenBody = z.strictObject({
  userId: ExternalId,
  userName: nameOf(100).optional(),
  /** Seconds. */
  expiresIn: z.number().int().min(60).max(86_400).optional(),
});

export const ParticipantTokenResponse = z.object({
  token: z.string(),
  expiresAt: Timestamp,
  contextId: z.string(),
  /** The participant's id in events: `userId`, and `author.id`. */
  contactId: z.string(),
});
