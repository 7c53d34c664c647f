/** The API for other programs with an API key; admins may use it, too. */
import { audit } from "../domain/audit.ts";
import { createRoute, z } from "@hono/zod-openapi";
import { personExists } from "../domain/agents/users.ts";
import type { Caller } from "../domain/principal.ts";
import { ParleyError } from "../protocol/errors.ts";
import { eventNameProblem } from "../protocol/reserved_events.ts";
import {
  BroadcastBody,
  ConnectionStats,
  UserConnections,
  UserEventBody,
  UserEventResponse,
} from "../protocol/programs.ts";
import { programOf } from "./authentication.ts";
import { auditActor } from "./cookies.ts";
import { type Api, createApi } from "./env.ts";
import { body, IdParam, noContent, responses } from "./schemas.ts";
import type { ApiServices } from "./services.ts";

const tags = ["server-side API"];

/** Admins may send what any key may. */
function needEventName(caller: Caller, name: string): void {
  const mayEmit = caller.kind !== "program" || caller.scopes.includes("events:emit");
  const message = eventNameProblem(name, mayEmit);
  if (message === null) return;
  throw new ParleyError("invalid", `Cannot send the event: "${name}" ${message}`, {
    fields: [{ path: "event", message }],
  });
}

export function programRoutes({ db, conversations, realtime }: ApiServices): Api {
  const app = createApi();

  async function needPerson(id: string): Promise<void> {
    if (await personExists(db, id)) return;
    throw new ParleyError("not_found", `Cannot find the user or contact "${id}"`);
  }

  app.openapi(
    createRoute({
      method: "post",
      path: "/api/broadcast",
      tags,
      summary: "Send an event to all agents, or into a conversation (broadcast:write)",
      description:
        "All who are connected get the event; it is not stored. On the native protocol " +
        "it is user_event {name, data}, on Socket.IO it is emitted under its name.",
      request: body(BroadcastBody),
      responses: noContent,
    }),
    async (c) => {
      programOf(c, "broadcast:write");
      const { conversationId, event, data = {} } = c.req.valid("json");
      needEventName(c.get("principal"), event);
      if (conversationId === undefined) {
        realtime.sendToRoom("agents", event, data);
        return c.body(null, 204);
      }
      await conversations.mustExist(conversationId);
      conversations.takeBroadcast(conversationId);
      realtime.sendToRoom({ conversationId }, event, data);
      return c.body(null, 204);
    },
  );
  app.openapi(
    createRoute({
      method: "post",
      path: "/api/users/{id}/events",
      tags,
      summary: "Send an event to every connection of a user or contact (users:notify)",
      request: { params: IdParam, ...body(UserEventBody) },
      responses: responses(200, "How many connections there were", UserEventResponse),
    }),
    async (c) => {
      programOf(c, "users:notify");
      const { id } = c.req.valid("param");
      const { event, data = {} } = c.req.valid("json");
      needEventName(c.get("principal"), event);
      await needPerson(id);
      const connections = await realtime.connectionsOf(id);
      realtime.sendToUser(id, event, data);
      return c.json({ connections }, 200);
    },
  );
  app.openapi(
    createRoute({
      method: "get",
      path: "/api/connections/stats",
      tags,
      summary: "Connections and people, on all nodes (connections:read)",
      responses: responses(200, "Counts", ConnectionStats),
    }),
    async (c) => {
      programOf(c, "connections:read");
      return c.json(await realtime.connectionStats(), 200);
    },
  );
  app.openapi(
    createRoute({
      method: "get",
      path: "/api/users/{id}/connections",
      tags,
      summary: "Whether a user or contact is connected, and how often (connections:read)",
      request: { params: IdParam },
      responses: responses(200, "On all nodes", UserConnections),
    }),
    async (c) => {
      programOf(c, "connections:read");
      const { id } = c.req.valid("param");
      await needPerson(id);
      const count = await realtime.connectionsOf(id);
      return c.json({ connected: count > 0, count }, 200);
    },
  );
  app.openapi(
    createRoute({
      method: "post",
      path: "/api/users/{id}/disconnect",
      tags,
      summary: "Close all connections of a user or contact with code 3503 (connections:write)",
      request: { params: IdParam },
      responses: responses(200, "How many were closed", z.object({ disconnected: z.int() })),
    }),
    async (c) => {
      programOf(c, "connections:write");
      const { id } = c.req.valid("param");
      await needPerson(id);
      const disconnected = await realtime.disconnect({ userId: id });
      await audit(db, auditActor(c), {
        action: "connections.ended",
        subject: { id },
        data: { by: "userId", disconnected },
      });
      return c.json({ disconnected }, 200);
    },
  );
  return app;
}
