import { audit } from "../domain/audit.ts";
import { createRoute } from "@hono/zod-openapi";
import {
  createRule,
  deleteRule,
  findRule,
  listRules,
  orderRules,
  updateRule,
} from "../domain/bot/rules.ts";
import { ContextRule } from "../protocol/model.ts";
import {
  ContextRuleList,
  CreateContextRuleBody,
  OrderContextRulesBody,
  UpdateContextRuleBody,
} from "../protocol/rules.ts";
import { adminOf, agentOf } from "./authentication.ts";
import { auditActor } from "./cookies.ts";
import type { Api } from "./env.ts";
import { body, responses } from "./schemas.ts";
import type { ApiServices } from "./services.ts";
import { recordRoutes } from "./records.ts";

const tag = "context rules";

/** The bot's rules. Agents read, admins change. */
export function contextRuleRoutes({ db, bus }: ApiServices): Api {
  const app = recordRoutes({
    path: "/api/context-rules",
    tag,
    one: "rule",
    words: {
      list: "All context rules, in the order in which they are tried",
      add: "Add a context rule, as the last one (admins)",
      read: "One context rule",
      change: "Change a context rule (admins)",
      remove: "Remove a context rule (admins)",
      item: "The rule",
      items: "Rules",
    },
    item: ContextRule,
    items: ContextRuleList,
    creation: CreateContextRuleBody,
    changes: UpdateContextRuleBody,
    audit: {
      db,
      name: ({ name }) => name,
      created: "rule.created",
      updated: "rule.updated",
      deleted: "rule.deleted",
    },
    reader: agentOf,
    writer: adminOf,
    list: async () => ({ items: await listRules(db), nextCursor: null }),
    find: (id) => findRule(db, id),
    create: (values, { userId }) => createRule(db, bus, userId, values),
    update: (id, changes, check) => updateRule(db, bus, id, changes, check),
    remove: (id, check) => deleteRule(db, bus, id, check),
  });
  app.openapi(
    createRoute({
      method: "post",
      path: "/api/context-rules/order",
      tags: [tag],
      summary: "Put context rules into another order (admins)",
      request: body(OrderContextRulesBody),
      responses: responses(200, "All rules in their order", ContextRuleList),
    }),
    async (c) => {
      adminOf(c);
      const items = await orderRules(db, bus, c.req.valid("json").ids);
      await audit(db, auditActor(c), { action: "rules.ordered" });
      return c.json({ items, nextCursor: null }, 200);
    },
  );
  return app;
}
