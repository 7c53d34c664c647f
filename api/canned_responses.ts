import { createRoute } from "@hono/zod-openapi";
import {
  createCannedResponse,
  deleteCannedResponse,
  findCannedResponse,
  listCannedResponses,
  readCannedResponseSettings,
  updateCannedResponse,
  writeCannedResponseSettings,
} from "../domain/agents/canned_responses.ts";
import { audit } from "../domain/audit.ts";
import {
  CannedResponse,
  CannedResponseList,
  CannedResponseQuery,
  CannedResponseSettings,
  CreateCannedResponseBody,
  UpdateCannedResponseBody,
} from "../protocol/canned_responses.ts";
import { adminOf, agentOf } from "./authentication.ts";
import { auditActor } from "./cookies.ts";
import type { Api } from "./env.ts";
import { recordRoutes } from "./records.ts";
import { body, responses } from "./schemas.ts";
import type { ApiServices } from "./services.ts";

const TAG = "canned responses";

/**
 * Texts that agents use often, and macros. Each agent has own ones; who may change those for everybody
 * is a setting, and only admins remove those of others.
 */
export function cannedResponseRoutes({ db }: ApiServices): Api {
  const app = recordRoutes({
    path: "/api/canned-responses",
    tag: TAG,
    one: "canned response",
    words: {
      list: "Canned responses for everybody and one's own, newest first",
      add: "Add a canned response or a macro",
      read: "One canned response",
      change: "Change a canned response",
      remove: "Remove a canned response (admins; everybody their own)",
      item: "The canned response",
      items: "A page",
    },
    item: CannedResponse,
    items: CannedResponseList,
    query: CannedResponseQuery,
    creation: CreateCannedResponseBody,
    changes: UpdateCannedResponseBody,
    audit: {
      db,
      name: ({ shortCode }) => shortCode,
      deleted: "canned_response.deleted",
      // What agents do with their own ones is their own affair.
      only: ({ shared }) => shared,
    },
    reader: agentOf,
    writer: agentOf,
    list: ({ limit = 50, ...query }, c) => listCannedResponses(db, agentOf(c), { ...query, limit }),
    find: (id, c) => findCannedResponse(db, agentOf(c), id),
    create: (values, agent) => createCannedResponse(db, agent, values),
    update: (id, changes, check, c) => updateCannedResponse(db, agentOf(c), id, changes, check),
    remove: (id, check, c) => deleteCannedResponse(db, agentOf(c), id, check),
  });

  app.openapi(
    createRoute({
      method: "get",
      path: "/api/canned-response-settings",
      tags: [TAG],
      summary: "Who may add and change canned responses for everybody (agents)",
      responses: responses(200, "The setting", CannedResponseSettings),
    }),
    async (c) => {
      agentOf(c);
      return c.json(await readCannedResponseSettings(db), 200);
    },
  );
  app.openapi(
    createRoute({
      method: "patch",
      path: "/api/canned-response-settings",
      tags: [TAG],
      summary: "Set who may add and change canned responses for everybody (admins)",
      request: body(CannedResponseSettings),
      responses: responses(200, "The setting", CannedResponseSettings),
    }),
    async (c) => {
      adminOf(c);
      const settings = c.req.valid("json");
      await writeCannedResponseSettings(db, settings);
      const action = "canned_responses.managers_changed";
      await audit(db, auditActor(c), { action, data: { ...settings } });
      return c.json(settings, 200);
    },
  );
  return app;
}
