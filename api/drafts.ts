import { createRoute } from "@hono/zod-openapi";
import { listDrafts, saveDraft } from "../domain/agents/drafts.ts";
import { Draft, DraftList, DraftQuery, SaveDraftBody } from "../protocol/drafts.ts";
import { agentOf } from "./authentication.ts";
import { type Api, createApi } from "./env.ts";
import { body, IdParam, responses } from "./schemas.ts";
import type { ApiServices } from "./services.ts";

const tags = ["drafts"];

/** What an agent has written and not sent. Nobody else can read it. */
export function draftRoutes({ db, bus }: ApiServices): Api {
  const app = createApi();

  app.openapi(
    createRoute({
      method: "get",
      path: "/api/drafts",
      tags,
      summary: "Own drafts, the last changed first (agents)",
      request: { query: DraftQuery },
      responses: responses(200, "A page", DraftList),
    }),
    async (c) => c.json(await listDrafts(db, agentOf(c).userId, c.req.valid("query")), 200),
  );

  app.openapi(
    createRoute({
      method: "patch",
      path: "/api/conversations/{id}/draft",
      tags,
      summary: "Save the own reply or note that is not sent yet; empty content deletes it (agents)",
      request: { params: IdParam, ...body(SaveDraftBody) },
      responses: responses(200, "The draft as it is now", Draft),
    }),
    async (c) => {
      const { userId } = agentOf(c);
      const { id } = c.req.valid("param");
      return c.json(await saveDraft(db, bus, userId, id, c.req.valid("json")), 200);
    },
  );
  return app;
}
