import { createRoute } from "@hono/zod-openapi";
import {
  createCannedResponse,
  deleteCannedResponse,
  findCannedResponse,
  listCannedResponses,
  updateCannedResponse,
} from "../domain/agents/canned_responses.ts";
import {
  CannedResponse,
  CannedResponseList,
  CannedResponseQuery,
  CreateCannedResponseBody,
  UpdateCannedResponseBody,
} from "../protocol/workspace.ts";
import { etagOf } from "../protocol/etag.ts";
import {
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

const tags = ["canned responses"];

/** Texts that agents use again and again; they are everybody's. */
export function cannedResponseRoutes({ db }: ApiServices): Api {
  const app = createApi();
  app.openapi(
    createRoute({
      method: "get",
      path: "/api/canned-responses",
      tags,
      summary: "Canned responses, newest first",
      request: { query: CannedResponseQuery },
      responses: answers(200, "A page", CannedResponseList),
    }),
    async (c) => {
      agentOf(c);
      const { limit = 50, ...query } = c.req.valid("query");
      return c.json(await listCannedResponses(db, { ...query, limit }), 200);
    },
  );
  app.openapi(
    createRoute({
      method: "post",
      path: "/api/canned-responses",
      tags,
      summary: "Add a canned response",
      request: body(CreateCannedResponseBody),
      responses: answers(201, "The canned response", CannedResponse),
    }),
    async (c) => {
      const made = await createCannedResponse(db, agentOf(c).userId, c.req.valid("json"));
      c.header("etag", etagOf(made));
      return c.json(made, 201);
    },
  );
  app.openapi(
    createRoute({
      method: "get",
      path: "/api/canned-responses/{id}",
      tags,
      summary: "One canned response",
      request: { params: IdParam },
      responses: answers(200, "The canned response", CannedResponse),
    }),
    async (c) => {
      agentOf(c);
      const found = await findCannedResponse(db, c.req.valid("param").id);
      c.header("etag", etagOf(found));
      return c.json(found, 200);
    },
  );
  app.openapi(
    createRoute({
      method: "patch",
      path: "/api/canned-responses/{id}",
      tags,
      summary: "Change a canned response",
      request: { params: IdParam, headers: IfMatch, ...body(UpdateCannedResponseBody) },
      responses: answers(200, "The canned response", CannedResponse),
    }),
    async (c) => {
      agentOf(c);
      const changed = await updateCannedResponse(
        db,
        c.req.valid("param").id,
        c.req.valid("json"),
        (current) => requireMatch(c, "canned response", current),
      );
      c.header("etag", etagOf(changed));
      return c.json(changed, 200);
    },
  );
  app.openapi(
    createRoute({
      method: "delete",
      path: "/api/canned-responses/{id}",
      tags,
      summary: "Remove a canned response",
      request: { params: IdParam, headers: IfMatch },
      responses: nothing,
    }),
    async (c) => {
      agentOf(c);
      const { id } = c.req.valid("param");
      await deleteCannedResponse(
        db,
        id,
        (current) => requireMatch(c, "canned response", current),
      );
      return c.body(null, 204);
    },
  );
  return app;
}
