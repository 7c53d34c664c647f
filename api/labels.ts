import type { Context } from "hono";
import {
  createLabel,
  deleteLabel,
  findLabel,
  listLabels,
  updateLabel,
} from "../domain/conversations/labels.ts";
import { needScope } from "../domain/principal.ts";
import { CreateLabelBody, LabelList, UpdateLabelBody } from "../protocol/labels.ts";
import { Label } from "../protocol/model.ts";
import { adminOf, agentOf } from "./authentication.ts";
import type { Api, Env } from "./env.ts";
import type { ApiServices } from "./services.ts";
import { recordRoutes } from "./records.ts";

/**
 * Labels of conversations. Agents add and change them; only admins remove them, because that removes a
 * label from every conversation and cannot be undone.
 */
export function labelRoutes({ db }: ApiServices): Api {
  return recordRoutes({
    path: "/api/labels",
    tag: "labels",
    one: "label",
    words: {
      list: "All labels, by name",
      add: "Add a label",
      read: "One label",
      change: "Change a label; conversations that have it show the new name and colour",
      remove: "Remove a label, also from the conversations that have it (admins)",
      item: "The label",
      items: "Labels",
    },
    item: Label,
    items: LabelList,
    creation: CreateLabelBody,
    changes: UpdateLabelBody,
    audit: {
      db,
      name: ({ name }) => name,
      created: "label.created",
      updated: "label.updated",
      deleted: "label.deleted",
    },
    reader: readerOf,
    writer: agentOf,
    remover: adminOf,
    list: async () => ({ items: await listLabels(db), nextCursor: null }),
    find: (id) => findLabel(db, id),
    create: (values) => createLabel(db, values),
    update: (id, changes, check) => updateLabel(db, id, changes, check),
    remove: (id, check) => deleteLabel(db, id, check),
  });
}

/** A program that labels conversations needs the list of labels. */
function readerOf(c: Context<Env>): void {
  const caller = c.get("principal");
  if (caller.kind === "program") needScope(caller, "conversations:read");
  else agentOf(c);
}
