import { createRoute } from "@hono/zod-openapi";
import type { Context } from "hono";
import {
  createApiKey,
  findApiKey,
  listApiKeys,
  revokeApiKey,
} from "../domain/programs/api_keys.ts";
import { ApiKey, ApiKeyList, CreateApiKeyBody, CreatedApiKey } from "../protocol/programs.ts";
import { adminOf } from "./authentication.ts";
import { auditActor } from "./cookies.ts";
import { type Api, createApi, type Env } from "./env.ts";
import { body, IdParam, noContent, responses } from "./schemas.ts";
import type { ApiServices } from "./services.ts";

const tags = ["API keys"];

/** Keys for other programs. Only admins see and make them; a key itself is shown once. */
export function apiKeyRoutes({ db }: ApiServices): Api {
  const app = createApi();
  const by = (c: Context<Env>) => {
    adminOf(c);
    return auditActor(c);
  };

  app.openapi(
    createRoute({
      method: "get",
      path: "/api/api-keys",
      tags,
      summary: "All API keys, newest first (admins)",
      responses: responses(200, "Keys, without what they are themselves", ApiKeyList),
    }),
    async (c) => {
      adminOf(c);
      return c.json({ items: await listApiKeys(db), nextCursor: null }, 200);
    },
  );
  app.openapi(
    createRoute({
      method: "post",
      path: "/api/api-keys",
      tags,
      summary: "Create an API key (admins)",
      request: body(CreateApiKeyBody),
      responses: responses(201, "The key, this once", CreatedApiKey),
    }),
    async (c) => c.json(await createApiKey(db, by(c), c.req.valid("json")), 201),
  );
  app.openapi(
    createRoute({
      method: "get",
      path: "/api/api-keys/{id}",
      tags,
      summary: "One API key (admins)",
      request: { params: IdParam },
      responses: responses(200, "The key, without what it is itself", ApiKey),
    }),
    async (c) => {
      adminOf(c);
      return c.json(await findApiKey(db, c.req.valid("param").id), 200);
    },
  );
  app.openapi(
    createRoute({
      method: "delete",
      path: "/api/api-keys/{id}",
      tags,
      summary: "Revoke an API key, from the next request on (admins)",
      request: { params: IdParam },
      responses: noContent,
    }),
    async (c) => {
      await revokeApiKey(db, by(c), c.req.valid("param").id);
      return c.body(null, 204);
    },
  );
  return app;
}
