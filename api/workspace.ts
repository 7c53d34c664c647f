import { createRoute, z } from "@hono/zod-openapi";
import type { Context } from "hono";
import {
  checkPassword,
  createUser,
  findUser,
  listUsers,
  updateUser,
  type UserChanges,
} from "../domain/agents/users.ts";
import { actorOf } from "../domain/conversations/actors.ts";
import { KeyedLimiter } from "../domain/rate_limit.ts";
import { ParleyError } from "../protocol/errors.ts";
import { Id, User } from "../protocol/model.ts";
import {
  CreateUserBody,
  UpdatedUser,
  UpdateUserBody,
  UserList,
  Workload,
} from "../protocol/rest.ts";
import { adminOf, agentOf } from "./authentication.ts";
import { auditActor } from "./cookies.ts";
import { type Api, createApi, type Env } from "./env.ts";
import { contactRoutes } from "./contacts.ts";
import { body, IdParam, noContent, responses } from "./schemas.ts";
import type { ApiServices } from "./services.ts";
import { widgetRoutes } from "./widgets.ts";

/** Agents, contacts and widgets. Agents read, admins change; all agents change contacts. */
export function workspaceRoutes(services: ApiServices): Api {
  const app = createApi();
  userRoutes(app, services);
  app.route("/", contactRoutes(services));
  app.route("/", widgetRoutes(services));
  return app;
}

function userRoutes(
  app: Api,
  { db, bus, passwords, handOvers, loginsPerMinute }: ApiServices,
): void {
  const tags = ["users"];
  const passwordChecks = new KeyedLimiter(loginsPerMinute);
  app.openapi(
    createRoute({
      method: "get",
      path: "/api/users",
      tags,
      summary: "All agents",
      responses: responses(200, "Users", UserList),
    }),
    async (c) => {
      agentOf(c);
      return c.json({ items: await listUsers(db), nextCursor: null }, 200);
    },
  );
  app.openapi(
    createRoute({
      method: "post",
      path: "/api/users",
      tags,
      summary: "Add an agent (admins)",
      request: body(CreateUserBody),
      responses: responses(201, "The user", User),
    }),
    async (c) => {
      adminOf(c);
      return c.json(await createUser(db, c.req.valid("json"), passwords, auditActor(c)), 201);
    },
  );
  app.openapi(
    createRoute({
      method: "get",
      path: "/api/users/{id}",
      tags,
      summary: "One agent",
      request: { params: IdParam },
      responses: responses(200, "The user", User),
    }),
    async (c) => {
      agentOf(c);
      const { id } = c.req.valid("param");
      const user = await findUser(db, id);
      if (user === null) throw new ParleyError("not_found", `Cannot find the user "${id}"`);
      return c.json(user, 200);
    },
  );
  app.openapi(
    createRoute({
      method: "patch",
      path: "/api/users/{id}",
      tags,
      summary: "Change an agent (admins; everybody their own name and password)",
      request: { params: IdParam, ...body(UpdateUserBody) },
      description: "`disabled: true` signs them out and hands over what they have and is not " +
        "resolved: to the agent `handOverTo`, or to nobody. The answer says how many; it can be " +
        "asked for again.",
      responses: responses(200, "The user", UpdatedUser),
    }),
    async (c) => {
      const { id } = c.req.valid("param");
      const { handOverTo, ...changes } = c.req.valid("json");
      const self = agentOf(c).userId === id;
      if (!self || changes.role !== undefined || changes.disabled !== undefined) adminOf(c);
      // A stolen access token alone must not be enough to take the account.
      if (self && changes.password !== undefined) {
        const wait = passwordChecks.take(id);
        if (wait > 0) {
          throw new ParleyError("rate_limited", "Cannot change the password: too many attempts", {
            retryAfter: wait,
            limit: "LIMIT_LOGINS_PER_MINUTE",
          });
        }
        await checkPassword(db, id, changes.currentPassword, passwords, auditActor(c));
      }
      if (changes.disabled !== true) {
        return c.json(await updateUser(db, bus, auditActor(c), id, changes, passwords), 200);
      }
      return c.json(await disable(c, id, changes, handOverTo ?? null), 200);
    },
  );
  app.openapi(
    createRoute({
      method: "delete",
      path: "/api/users/{id}",
      tags,
      summary: "Disable an agent (admins); what they wrote stays",
      description: "Their conversations that are not resolved go to `handOverTo`, or to nobody.",
      request: { params: IdParam, query: z.strictObject({ handOverTo: Id.optional() }) },
      responses: noContent,
    }),
    async (c) => {
      adminOf(c);
      const { handOverTo = null } = c.req.valid("query");
      await disable(c, c.req.valid("param").id, { disabled: true }, handOverTo);
      return c.body(null, 204);
    },
  );
  app.openapi(
    createRoute({
      method: "get",
      path: "/api/users/{id}/workload",
      tags,
      summary: "How many conversations an agent has that are not resolved",
      request: { params: IdParam },
      responses: responses(200, "By status", Workload),
    }),
    async (c) => {
      agentOf(c);
      return c.json(await handOvers.workload(c.req.valid("param").id), 200);
    },
  );

  /** Disables first, so that nothing more is assigned to them; then hands over what they have. */
  async function disable(c: Context<Env>, id: string, changes: UserChanges, to: string | null) {
    const actor = actorOf(agentOf(c));
    if (to !== null) await handOvers.needReceiver(to, id);
    const user = await updateUser(db, bus, auditActor(c), id, changes, passwords);
    return { ...user, handOver: await handOvers.handOver(id, to, actor) };
  }
}
