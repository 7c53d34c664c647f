/** Erasing a person, for admins. */
import { createRoute, z } from "@hono/zod-openapi";
import { adminOf } from "./authentication.ts";
import { auditActor } from "./cookies.ts";
import { type Api, createApi } from "./env.ts";
import { IdParam, responses } from "./schemas.ts";
import type { ApiServices } from "./services.ts";

/** How much was erased. */
const ContactErasure = z.object({
  conversations: z.number().int(),
  messages: z.number().int(),
});

export function contactErasureRoutes({ eraseContact, realtime }: ApiServices): Api {
  const app = createApi();
  app.openapi(
    createRoute({
      method: "delete",
      path: "/api/contacts/{id}",
      tags: ["contacts"],
      summary: "Erase a person with all their data, for good (admins)",
      request: { params: IdParam },
      responses: responses(200, "What was erased", ContactErasure),
    }),
    async (c) => {
      adminOf(c);
      const { id } = c.req.valid("param");
      const { contactIds, ...erased } = await eraseContact(auditActor(c), id);
      // Open sockets keep the rights of their principal until they end.
      for (const userId of contactIds) await realtime.disconnect({ userId });
      return c.json(erased, 200);
    },
  );
  return app;
}
