import { createRoute } from "@hono/zod-openapi";
import { search } from "../domain/search/search.ts";
import { SearchQuery, SearchResponse } from "../protocol/search.ts";
import { type Api, createApi } from "./env.ts";
import { responses } from "./schemas.ts";
import type { ApiServices } from "./services.ts";

/** Search over conversations, messages and contacts, for agents. */
export function searchRoutes({ db }: ApiServices): Api {
  const app = createApi();
  app.openapi(
    createRoute({
      method: "get",
      path: "/api/search",
      tags: ["search"],
      summary: "Conversations, messages and contacts that have all words of q (agents)",
      request: { query: SearchQuery },
      responses: responses(200, "What was found, by kind, the newest first", SearchResponse),
    }),
    async (c) => c.json(await search(db, c.get("principal"), c.req.valid("query")), 200),
  );
  return app;
}
