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
import { adminOf, agentOf } from "./authentication.ts";
import type { Api } from "./env.ts";
import type { ApiServices } from "./services.ts";
import { recordRoutes } from "./records.ts";

/**
 * Texts that agents use often. All agents may use and change them; only admins may remove those of
 * others.
 */
export function cannedResponseRoutes({ db }: ApiServices): Api {
  return recordRoutes({
    path: "/api/canned-responses",
    tag: "canned responses",
    one: "canned response",
    words: {
      list: "Canned responses, newest first",
      add: "Add a canned response",
      read: "One canned response",
      change: "Change a canned response",
      remove: "Remove a canned response (admins; everybody their own)",
      item: "The canned response",
      items: "A page",
    },
    item: CannedResponse,
    items: CannedResponseList,
    query: CannedResponseQuery,
    creation: CreateCannedResponseBody,
    changes: UpdateCannedResponseBody,
    audit: { db, name: ({ shortCode }) => shortCode, deleted: "canned_response.deleted" },
    reader: agentOf,
    writer: agentOf,
    list: ({ limit = 50, ...query }) => listCannedResponses(db, { ...query, limit }),
    find: (id) => findCannedResponse(db, id),
    create: (values, { userId }) => createCannedResponse(db, userId, values),
    update: (id, changes, check) => updateCannedResponse(db, id, changes, check),
    remove: async (id, check, c) => {
      const { userId } = await findCannedResponse(db, id);
      if (agentOf(c).userId !== userId) adminOf(c);
      await deleteCannedResponse(db, id, check);
    },
  });
}
