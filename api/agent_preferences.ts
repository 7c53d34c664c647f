import { createRoute } from "@hono/zod-openapi";
import { readAgentPreferences, updateAgentPreferences } from "../domain/agents/preferences.ts";
import { AgentPreferences, UpdateAgentPreferencesBody } from "../protocol/agent_preferences.ts";
import { agentOf } from "./authentication.ts";
import { type Api, createApi } from "./env.ts";
import { body, responses } from "./schemas.ts";
import type { ApiServices } from "./services.ts";

const tags = ["users"];

/** How the calling agent wants the dashboard to behave. */
export function agentPreferenceRoutes({ db }: ApiServices): Api {
  const app = createApi();
  app.openapi(
    createRoute({
      method: "get",
      path: "/api/preferences",
      tags,
      summary: "Own preferences of the dashboard (agents)",
      responses: responses(200, "The preferences", AgentPreferences),
    }),
    async (c) => c.json(await readAgentPreferences(db, agentOf(c).userId), 200),
  );
  app.openapi(
    createRoute({
      method: "patch",
      path: "/api/preferences",
      tags,
      summary: "Change the given preferences, keep the rest",
      request: body(UpdateAgentPreferencesBody),
      responses: responses(200, "The preferences as they are now", AgentPreferences),
    }),
    async (c) => {
      const { userId } = agentOf(c);
      return c.json(await updateAgentPreferences(db, userId, c.req.valid("json")), 200);
    },
  );
  return app;
}
