import { createRoute } from "@hono/zod-openapi";
import { audit } from "../domain/audit.ts";
import { teamNamed } from "../domain/teams/teams.ts";
import { QueueSettings, UpdateQueueBody } from "../protocol/queue.ts";
import { adminOf, agentOf } from "./authentication.ts";
import { auditActor } from "./cookies.ts";
import { type Api, createApi } from "./env.ts";
import { body, responses } from "./schemas.ts";
import type { ApiServices } from "./services.ts";

const tags = ["queue"];

/** How conversations come to agents. */
export function queueRoutes({ db, queueSettings }: ApiServices): Api {
  const app = createApi();
  app.openapi(
    createRoute({
      method: "get",
      path: "/api/queue-settings",
      tags,
      summary: "The settings of the queue (agents)",
      responses: responses(200, "The settings", QueueSettings),
    }),
    async (c) => {
      agentOf(c);
      return c.json(await queueSettings.read(), 200);
    },
  );
  app.openapi(
    createRoute({
      method: "patch",
      path: "/api/queue-settings",
      tags,
      summary: "Change the settings of the queue (admins)",
      request: body(UpdateQueueBody),
      responses: responses(200, "The settings", QueueSettings),
    }),
    async (c) => {
      adminOf(c);
      const changes = c.req.valid("json");
      if (changes.teamId) await teamNamed(db, changes.teamId);
      const settings = await queueSettings.update(changes);
      await audit(db, auditActor(c), { action: "queue.changed", data: { changes } });
      return c.json(settings, 200);
    },
  );
  return app;
}
