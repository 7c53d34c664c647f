import { createRoute } from "@hono/zod-openapi";
import {
  countSavedViews,
  createView,
  deleteView,
  findView,
  listViews,
  updateView,
} from "../domain/views/views.ts";
import {
  CreateViewBody,
  SavedView,
  UpdateViewBody,
  ViewCounts,
  ViewList,
} from "../protocol/views.ts";
import { agentOf } from "./authentication.ts";
import type { Api } from "./env.ts";
import { recordRoutes } from "./records.ts";
import { responses } from "./schemas.ts";
import type { ApiServices } from "./services.ts";

/** Saved views: agents see their own and those that are shared with them, and change their own. */
export function viewRoutes({ db }: ApiServices): Api {
  const app = recordRoutes({
    path: "/api/views",
    tag: "views",
    one: "view",
    words: {
      list: "The views that the agent sees, by name (agents)",
      add: "Save a view (agents)",
      read: "One view",
      change: "Change a view (who made it, and admins)",
      remove: "Delete a view (who made it, and admins)",
      item: "The view",
      items: "Views",
    },
    item: SavedView,
    items: ViewList,
    creation: CreateViewBody,
    changes: UpdateViewBody,
    reader: agentOf,
    writer: agentOf,
    list: async (_query, c) => ({ items: await listViews(db, agentOf(c)), nextCursor: null }),
    find: (id, c) => findView(db, agentOf(c), id),
    create: (values, agent) => createView(db, agent, values),
    update: (id, changes, check, c) => updateView(db, agentOf(c), id, changes, check),
    remove: (id, check, c) => deleteView(db, agentOf(c), id, check),
  });
  app.openapi(
    createRoute({
      method: "get",
      path: "/api/view-counts",
      tags: ["views"],
      summary: "How many conversations each saved view has, at most 100 (agents)",
      responses: responses(200, "The counts by the ids of views", ViewCounts),
    }),
    async (c) => c.json({ counts: await countSavedViews(db, agentOf(c)) }, 200),
  );
  return app;
}
