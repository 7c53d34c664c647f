import type { Db } from "../../db/database.ts";
import type { ReceiptRow } from "../../db/types.ts";
import type { StreamEvent, StreamPosition } from "../../protocol/topics.ts";
import { eventsAfter, type EventWithMessage } from "./queries.ts";
import { receiptsOf, toReceipt } from "./receipts.ts";
import { type FullConversationRow, toLogEntry, toPointers } from "./view.ts";

/** What happened after a position, in order: events of the log, and receipts between them. */
export interface CatchUp {
  events: StreamEvent[];
  /** After the last of `events`, or the end where there are none. */
  position: StreamPosition;
  /** The end of the stream now. */
  end: Required<StreamPosition>;
  /** Whether there is more between `position` and `end`. */
  hasMore: boolean;
  /** True: what came after `after` is not known. There are no events, and `position` is the end. */
  reset: boolean;
}

export interface CatchUpQuery {
  /** undefined: from now on. */
  after: StreamPosition | undefined;
  /** Maximum number of events, hidden ones included. */
  limit: number;
  epoch: string;
  forAgents: boolean;
}

/** An empty result where nothing is newer than `after`; undefined where something may be. */
export async function unchangedCatchUp(
  receiptsOf: (conversationId: string) => Promise<ReceiptRow[]>,
  row: FullConversationRow,
  { after, epoch }: CatchUpQuery,
): Promise<CatchUp | undefined> {
  if (after === undefined || after.epoch !== epoch || after.seq !== row.last_seq) return undefined;
  const receipts = await receiptsOf(row.id);
  const end = endOf(row, receipts, epoch);
  if (isAhead(after, end) || receipts.some((receipt) => isNewer(receipt, after))) return undefined;
  return { events: [], position: end, end, hasMore: false, reset: false };
}

/** @param db the transaction in which `row` was read, so that everything is of one moment. */
export async function readCatchUp(
  db: Db,
  row: FullConversationRow,
  { after, limit, epoch, forAgents }: CatchUpQuery,
): Promise<CatchUp> {
  const receipts = await receiptsOf(db, row.id);
  const end = endOf(row, receipts, epoch);
  const nothing = { events: [], position: end, end, hasMore: false };
  if (after === undefined) return { ...nothing, reset: false };
  if (after.epoch !== epoch || isAhead(after, end)) return { ...nothing, reset: true };
  const log = after.seq === end.seq ? [] : await eventsAfter(db, row.id, after.seq, limit + 1);
  const newer = receipts.filter((receipt) => isNewer(receipt, after));
  const all = merge(log, newer);
  const page = all.slice(0, limit);
  const last = page.at(-1);
  const pointers = toPointers(row);
  return {
    events: page.map((entry): StreamEvent => {
      if ("number" in entry) return toReceiptEvent(entry);
      const { forAgents: full, forVisitors } = toLogEntry(entry.event, entry.message, pointers);
      return forAgents ? full : forVisitors;
    }),
    position: last === undefined || page.length === all.length ? end : positionOf(last, epoch),
    end,
    hasMore: page.length < all.length,
    reset: false,
  };
}

function endOf(
  row: FullConversationRow,
  receipts: readonly ReceiptRow[],
  epoch: string,
): Required<StreamPosition> {
  return { epoch, seq: row.last_seq, number: receipts.at(-1)?.number ?? 0 };
}

/** Whether the conversation has not reached this position. */
function isAhead(position: StreamPosition, end: Required<StreamPosition>): boolean {
  return position.seq > end.seq || (position.number ?? 0) > end.number;
}

function isNewer(receipt: ReceiptRow, { seq, number }: StreamPosition): boolean {
  return number === undefined ? receipt.at_seq >= seq : receipt.number > number;
}

type Entry = EventWithMessage | ReceiptRow;

function positionOf(entry: Entry, epoch: string): StreamPosition {
  if ("number" in entry) return { epoch, seq: entry.at_seq, number: entry.number };
  return { epoch, seq: entry.event.seq };
}

/** Puts each receipt after the event that it followed. Both lists are in order. */
function merge(log: readonly EventWithMessage[], receipts: readonly ReceiptRow[]): Entry[] {
  const entries: Entry[] = [];
  let next = 0;
  for (const entry of log) {
    for (; next < receipts.length && receipts[next]!.at_seq < entry.event.seq; next++) {
      entries.push(receipts[next]!);
    }
    entries.push(entry);
  }
  return [...entries, ...receipts.slice(next)];
}

function toReceiptEvent(row: ReceiptRow): StreamEvent {
  const { conversation_id: conversationId, user_id: userId, role } = row;
  const receipt = toReceipt(row);
  return {
    type: "receipt",
    timestamp: receipt.createdAt,
    data: { conversationId, userId, role, receipt },
  };
}
