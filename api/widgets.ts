import {
  createWidget,
  deleteWidget,
  findWidget,
  listWidgets,
  updateWidget,
} from "../domain/visitors/widgets.ts";
import { WidgetConfig } from "../protocol/model.ts";
import { CreateWidgetBody, UpdateWidgetBody, WidgetList } from "../protocol/rest.ts";
import { adminOf, agentOf } from "./authentication.ts";
import type { Api } from "./env.ts";
import type { ApiServices } from "./services.ts";
import { recordRoutes } from "./records.ts";

/** What websites load. Agents read, admins change. */
export function widgetRoutes({ db, bus }: ApiServices): Api {
  return recordRoutes({
    path: "/api/widget-configs",
    tag: "widgets",
    one: "widget",
    words: {
      list: "All widgets",
      add: "Add a widget (admins)",
      read: "One widget",
      change: "Change a widget (admins)",
      remove: "Remove a widget with its sessions (admins)",
      item: "The widget",
      items: "Widgets",
    },
    item: WidgetConfig,
    items: WidgetList,
    creation: CreateWidgetBody,
    changes: UpdateWidgetBody,
    audit: {
      db,
      name: ({ name }) => name,
      created: "widget.created",
      updated: "widget.updated",
      deleted: "widget.deleted",
      more: moreOf,
    },
    reader: agentOf,
    writer: adminOf,
    removesAnyVersion: true,
    list: async () => ({ items: await listWidgets(db), nextCursor: null }),
    find: (id) => findWidget(db, id),
    create: (values, { userId }) => createWidget(db, userId, values),
    update: (id, changes, check) => updateWidget(db, bus, id, changes, check),
    remove: (id) => deleteWidget(db, bus, id),
  });
}

/** Which websites may use it: of a new one all, of a change both where they differ. */
function moreOf(
  { allowedOrigins: to }: WidgetConfig,
  before: WidgetConfig | undefined,
): Record<string, unknown> {
  if (before === undefined) return { allowedOrigins: to };
  const from = before.allowedOrigins;
  return from.join() === to.join() ? {} : { from, to };
}
