import type { Db } from "../../db/database.ts";
import type { LogEntry } from "./event_types.ts";
import { eventsAfter, findConversation } from "./queries.ts";
import { toLogEntry, toPointers } from "./view.ts";

/**
 * The log of a conversation after a position, in order, at most `limit` entries; empty for an unknown
 * conversation. For the server itself: checks no rights.
 */
export async function logAfter(
  db: Db,
  conversationId: string,
  seq: number,
  limit: number,
): Promise<LogEntry[]> {
  const row = await findConversation(db, conversationId);
  if (row === null) return [];
  const pointers = toPointers(row);
  const log = await eventsAfter(db, conversationId, seq, limit);
  return log.map(({ event, message }) => toLogEntry(event, message, pointers));
}
