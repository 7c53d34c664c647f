import { audit } from "../domain/audit.ts";
import { createRoute, z } from "@hono/zod-openapi";
import { hashSecret } from "../domain/secrets.ts";
import { endSession } from "../domain/visitors/sessions.ts";
import { ParleyError } from "../protocol/errors.ts";
import { DisconnectBody } from "../protocol/rest.ts";
import { adminOf } from "./authentication.ts";
import { auditActor } from "./cookies.ts";
import { type Api, createApi } from "./env.ts";
import { body, noContent, responses } from "./schemas.ts";
import type { ApiServices } from "./services.ts";

/** Ending sessions and connections. */
export function connectionRoutes({ db, bus, realtime }: ApiServices): Api {
  const app = createApi();

  app.openapi(
    createRoute({
      method: "delete",
      path: "/api/sessions",
      tags: ["visitors"],
      summary: "End one's own session (visitors)",
      responses: noContent,
    }),
    async (c) => {
      const principal = c.get("principal");
      if (principal.kind !== "visitor" || principal.sessionHash === null) {
        throw new ParleyError("forbidden", "Cannot end the session: only visitors have one");
      }
      await endSession(db, bus, principal.sessionHash);
      return c.body(null, 204);
    },
  );

  app.openapi(
    createRoute({
      method: "post",
      path: "/api/connections/disconnect",
      tags: ["connections"],
      summary: "Close connections with code 3503 (admins)",
      request: body(DisconnectBody),
      responses: responses(
        200,
        "How many were closed",
        z.object({ disconnected: z.number().int() }),
      ),
    }),
    async (c) => {
      adminOf(c);
      const whose = c.req.valid("json");
      const disconnected = await realtime.disconnect(
        "sessionId" in whose ? { sessionHash: await hashSecret(whose.sessionId) } : whose,
      );
      const [[kind, value]] = Object.entries(whose) as [[string, string]];
      await audit(db, auditActor(c), {
        action: "connections.ended",
        // A session's id is a secret.
        subject: { id: kind === "sessionId" ? null : value },
        data: { by: kind, disconnected },
      });
      return c.json({ disconnected }, 200);
    },
  );
  return app;
}
