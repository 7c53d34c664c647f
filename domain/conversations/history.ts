/** Reads: lists, single conversations, pages of messages, and entries of the log. */
import type { Db } from "../../db/database.ts";
import { ParleyError } from "../../protocol/errors.ts";
import { needScope } from "../principal.ts";
import { type Access, notFound } from "./access.ts";
import { entriesAt, findConversation, listMessages, selectConversations } from "./queries.ts";
import { listConversations } from "./list.ts";
import type { Reads } from "./reads.ts";
import { maySee } from "./rights.ts";
import type { Conversations } from "./types.ts";
import { toLogEntry, toMessage, toPointers } from "./view.ts";

/** Rows of a page, where the caller does not say. */
export const PAGE = 50;

export function createHistory(
  { db, reads, access }: { db: Db; reads: Reads; access: Access },
): Pick<Conversations, "list" | "get" | "history" | "entries" | "totalUnread" | "mustExist"> {
  return {
    async list(caller, query) {
      if (caller.kind === "visitor") {
        throw new ParleyError("forbidden", "Cannot list conversations: only agents may");
      }
      needScope(caller, "conversations:read");
      const page = await listConversations(db, {
        ...query,
        userId: caller.userId,
        limit: query.limit ?? PAGE,
      });
      return {
        items: page.rows.map((row) =>
          access.view(row, caller, caller.kind === "agent" ? row.unread : undefined)
        ),
        nextCursor: page.nextCursor,
      };
    },

    async get(caller, id) {
      needScope(caller, "conversations:read");
      return await access.viewWithUnread(await access.load(caller, id), caller);
    },

    async history(caller, conversationId, query) {
      needScope(caller, "conversations:read");
      const row = await access.load(caller, conversationId);
      const page = await listMessages(db, {
        conversationId,
        publicOnly: caller.kind === "visitor" || query.publicOnly === true,
        before: query.before,
        // Postgres does not read dates before the year 0 in this form; no message is that old.
        beforeTime: query.beforeTime === undefined
          ? undefined
          : new Date(Math.max(0, Date.parse(query.beforeTime))),
        after: query.after,
        limit: query.limit ?? PAGE,
      });
      const pointers = toPointers(row);
      return {
        messages: page.rows.map((message) => toMessage(message, pointers)),
        hasMore: page.hasMore,
      };
    },

    async entries(principal, positions) {
      if (positions.length === 0) return new Map();
      const ids = [...new Set(positions.map(({ conversationId }) => conversationId))];
      const rows = await selectConversations(db).where("c.id", "in", ids).execute();
      const visible = new Map(
        rows.filter((row) => maySee(principal, row)).map((row) => [row.id, toPointers(row)]),
      );
      const found = await entriesAt(db, positions);
      return new Map(found.flatMap(({ event, message }) => {
        const pointers = visible.get(event.conversation_id);
        if (pointers === undefined) return [];
        const entry = toLogEntry(event, message, pointers);
        const key = `${event.conversation_id} ${event.seq}`;
        return [[key, principal.kind === "agent" ? entry.forAgents : entry.forVisitors]];
      }));
    },

    totalUnread: (principal) =>
      principal.kind === "agent" ? reads.totalUnread(principal.userId) : Promise.resolve(0),

    async mustExist(conversationId) {
      if (await findConversation(db, conversationId) === null) throw notFound(conversationId);
    },
  };
}
