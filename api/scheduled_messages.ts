import { createRoute } from "@hono/zod-openapi";
import {
  CreateScheduledBody,
  ScheduledList,
  ScheduledMessage,
  UpdateScheduledBody,
} from "../protocol/scheduled_messages.ts";
import { agentOf } from "./authentication.ts";
import { type Api, createApi } from "./env.ts";
import { body, IdParam, noContent, responses } from "./schemas.ts";
import type { ApiServices } from "./services.ts";

const tags = ["scheduled messages"];

/** Replies for a later time. All agents see them; who wrote one, and admins, change it. */
export function scheduledMessageRoutes({ scheduled }: ApiServices): Api {
  const app = createApi();

  app.openapi(
    createRoute({
      method: "get",
      path: "/api/conversations/{id}/scheduled-messages",
      tags,
      summary: "Replies that are sent later, the next one first (agents)",
      request: { params: IdParam },
      responses: responses(200, "All of them", ScheduledList),
    }),
    async (c) => {
      agentOf(c);
      const items = await scheduled.list(c.req.valid("param").id);
      return c.json({ items, nextCursor: null }, 200);
    },
  );
  app.openapi(
    createRoute({
      method: "post",
      path: "/api/conversations/{id}/scheduled-messages",
      tags,
      summary: "Send a reply at a later time (agents)",
      request: { params: IdParam, ...body(CreateScheduledBody) },
      responses: responses(201, "It is stored", ScheduledMessage),
    }),
    async (c) => {
      const { id } = c.req.valid("param");
      return c.json(await scheduled.create(agentOf(c), id, c.req.valid("json")), 201);
    },
  );
  app.openapi(
    createRoute({
      method: "patch",
      path: "/api/scheduled-messages/{id}",
      tags,
      summary: "Change its text or its time (who wrote it, admins)",
      request: { params: IdParam, ...body(UpdateScheduledBody) },
      responses: responses(200, "As it is now", ScheduledMessage),
    }),
    async (c) => {
      const { id } = c.req.valid("param");
      return c.json(await scheduled.update(agentOf(c), id, c.req.valid("json")), 200);
    },
  );
  app.openapi(
    createRoute({
      method: "post",
      path: "/api/scheduled-messages/{id}/send",
      tags,
      summary: "Send it at once (who wrote it, admins)",
      request: { params: IdParam },
      responses: noContent,
    }),
    async (c) => {
      await scheduled.sendNow(agentOf(c), c.req.valid("param").id);
      return c.body(null, 204);
    },
  );
  app.openapi(
    createRoute({
      method: "delete",
      path: "/api/scheduled-messages/{id}",
      tags,
      summary: "Cancel it (who wrote it, admins)",
      request: { params: IdParam },
      responses: noContent,
    }),
    async (c) => {
      await scheduled.cancel(agentOf(c), c.req.valid("param").id);
      return c.body(null, 204);
    },
  );
  return app;
}
