import { audit } from "../domain/audit.ts";
import { createRoute, z } from "@hono/zod-openapi";
import { findContextConversation } from "../domain/conversations/contexts.ts";
import { contactOfParticipant } from "../domain/visitors/participants.ts";
import {
  ContextId,
  isConversationId,
  ParticipantTokenBody,
  ParticipantTokenResponse,
} from "../protocol/contexts.ts";
import { ParleyError } from "../protocol/errors.ts";
import { adminOf } from "./authentication.ts";
import { auditActor } from "./cookies.ts";
import { type Api, createApi } from "./env.ts";
import { body, responses } from "./schemas.ts";
import type { ApiServices } from "./services.ts";

/** Default life of a token, in seconds. */
const LIFE_S = 3600;

/** Tokens for the participants of contexts, for sites whose backend does not sign them itself. */
export function contextRoutes({ db, bus, participantTokens, renames }: ApiServices): Api {
  const app = createApi();

  app.openapi(
    createRoute({
      method: "post",
      path: "/api/contexts/{contextId}/tokens",
      tags: ["contexts"],
      summary: "A token that admits one person to one context (admins)",
      request: { params: z.object({ contextId: ContextId }), ...body(ParticipantTokenBody) },
      responses: responses(201, "The token", ParticipantTokenResponse),
    }),
    async (c) => {
      adminOf(c);
      const { contextId } = c.req.valid("param");
      const { userId: externalId, userName: name, expiresIn = LIFE_S } = c.req.valid("json");
      // A context is created by its first participant; a conversation has to exist.
      if (isConversationId(contextId) && await findContextConversation(db, contextId) === null) {
        throw new ParleyError("not_found", `Cannot find the conversation "${contextId}"`);
      }
      const contact = await contactOfParticipant(db, bus, { externalId, name }, renames);
      const person = { externalId, name };
      const { token, expiresAt } = await participantTokens.issue(
        person,
        contextId,
        expiresIn * 1000,
      );
      await audit(db, auditActor(c), {
        action: "context_token.issued",
        subject: { id: contact.id, name: contact.name },
        data: { contextId, expiresAt: new Date(expiresAt).toISOString() },
      });
      return c.json({
        token,
        expiresAt: new Date(expiresAt).toISOString(),
        contextId,
        contactId: contact.id,
      }, 201);
    },
  );
  return app;
}
