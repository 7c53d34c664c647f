import { createRoute } from "@hono/zod-openapi";
import {
  createRule,
  deleteRule,
  findRule,
  listRules,
  orderRules,
  updateRule,
} from "../domain/bot/rules.ts";
import { etagOf } from "../protocol/etag.ts";
import { ContextRule } from "../protocol/model.ts";
import {
  ContextRuleList,
  CreateContextRuleBody,
  OrderContextRulesBody,
  UpdateContextRuleBody,
} from "../protocol/rules.ts";
import {
  adminOf,
  agentOf,
  answers,
  type Api,
  type ApiServices,
  body,
  createApi,
  IdParam,
  nothing,
} from "./context.ts";
import { IfMatch, requireMatch } from "./etag.ts";

const tags = ["context rules"];

/** What the bot says, and when. Agents read, admins change. */
export function contextRuleRoutes({ db, bus }: ApiServices): Api {
  const app = createApi();
  app.openapi(
    createRoute({
      method: "get",
      path: "/api/context-rules",
      tags,
      summary: "All context rules, in the order in which they are tried",
      responses: answers(200, "Rules", ContextRuleList),
    }),
    async (c) => {
      agentOf(c);
      return c.json({ items: await listRules(db), nextCursor: null }, 200);
    },
  );
  app.openapi(
    createRoute({
      method: "post",
      path: "/api/context-rules",
      tags,
      summary: "Add a context rule, as the last one (admins)",
      request: body(CreateContextRuleBody),
      responses: answers(201, "The rule", ContextRule),
    }),
    async (c) => {
      const { userId } = adminOf(c);
      const rule = await createRule(db, bus, userId, c.req.valid("json"));
      c.header("etag", etagOf(rule));
      return c.json(rule, 201);
    },
  );
  app.openapi(
    createRoute({
      method: "post",
      path: "/api/context-rules/order",
      tags,
      summary: "Put context rules into another order (admins)",
      request: body(OrderContextRulesBody),
      responses: answers(200, "All rules in their order", ContextRuleList),
    }),
    async (c) => {
      adminOf(c);
      const items = await orderRules(db, bus, c.req.valid("json").ids);
      return c.json({ items, nextCursor: null }, 200);
    },
  );
  app.openapi(
    createRoute({
      method: "get",
      path: "/api/context-rules/{id}",
      tags,
      summary: "One context rule",
      request: { params: IdParam },
      responses: answers(200, "The rule", ContextRule),
    }),
    async (c) => {
      agentOf(c);
      const rule = await findRule(db, c.req.valid("param").id);
      c.header("etag", etagOf(rule));
      return c.json(rule, 200);
    },
  );
  app.openapi(
    createRoute({
      method: "patch",
      path: "/api/context-rules/{id}",
      tags,
      summary: "Change a context rule (admins)",
      request: { params: IdParam, headers: IfMatch, ...body(UpdateContextRuleBody) },
      responses: answers(200, "The rule", ContextRule),
    }),
    async (c) => {
      adminOf(c);
      const { id } = c.req.valid("param");
      const rule = await updateRule(
        db,
        bus,
        id,
        c.req.valid("json"),
        (current) => requireMatch(c, "rule", current),
      );
      c.header("etag", etagOf(rule));
      return c.json(rule, 200);
    },
  );
  app.openapi(
    createRoute({
      method: "delete",
      path: "/api/context-rules/{id}",
      tags,
      summary: "Remove a context rule (admins)",
      request: { params: IdParam, headers: IfMatch },
      responses: nothing,
    }),
    async (c) => {
      adminOf(c);
      const { id } = c.req.valid("param");
      await deleteRule(db, bus, id, (current) => requireMatch(c, "rule", current));
      return c.body(null, 204);
    },
  );
  return app;
}
