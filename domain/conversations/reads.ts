/**
 * Group reads of what many clients request at once after a restart: one query of each kind at a time.
 * The caller checks rights with the row that is read here.
 */
import type { Db } from "../../db/database.ts";
import type { ReceiptRow } from "../../db/types.ts";
import { createLoader } from "../loader.ts";
import {
  eventsBetween,
  type EventWithMessage,
  findConversations,
  latestMessages,
  type LatestQuery,
  type LogRange,
  type MessagePage,
} from "./queries.ts";
import { unreadCounts } from "./unread.ts";
import { receiptsOfAll } from "./receipts.ts";
import type { FullConversationRow } from "./view.ts";

/** Messages of one query, unless one key alone needs more: each may have 64 KB. */
const MAX_MESSAGES = 2000;

export interface Reads {
  conversation(id: string): Promise<FullConversationRow | null>;
  /** The last move of each pointer, in the order in which they happened. */
  receipts(conversationId: string): Promise<ReceiptRow[]>;
  /** A part of a log, in order. */
  log(range: LogRange): Promise<EventWithMessage[]>;
  /** The newest messages of a conversation, ascending. */
  latest(query: LatestQuery): Promise<MessagePage>;
  /** Messages that this user has not read, over the conversations that are not resolved. */
  totalUnread(userId: string): Promise<number>;
}

export function createReads(db: Db): Reads {
  return {
    conversation: createLoader((ids: string[]) => findConversations(db, ids)),
    receipts: createLoader((ids: string[]) => receiptsOfAll(db, ids)),
    log: createLoader((ranges: LogRange[]) => eventsBetween(db, ranges), {
      max: MAX_MESSAGES,
      weigh: ({ after, upTo }) => upTo - after,
    }),
    latest: createLoader((queries: LatestQuery[]) => latestMessages(db, queries), {
      max: MAX_MESSAGES,
      weigh: ({ limit }) => limit,
    }),
    totalUnread: createLoader(async (userIds: string[]) => {
      const counts = await unreadCounts(db, userIds);
      return userIds.map((id) => Object.values(counts.get(id)!).reduce((sum, n) => sum + n, 0));
    }),
  };
}
