import type { Db } from "../../db/database.ts";
import type { ReceiptRow } from "../../db/types.ts";
import type { Happening, Place } from "../../protocol/topics.ts";
import { eventsAfter, type EventWithMessage } from "./queries.ts";
import { receiptsOf, toReceipt } from "./receipts.ts";
import { type FullConversationRow, toLogEntry, toPointers } from "./view.ts";

/** What happened after a place, in order: events of the log, and receipts between them. */
export interface Since {
  events: Happening[];
  /** Behind the last of `events`, or the end where there are none. */
  place: Place;
  /** Where the conversation stands now. */
  end: Required<Place>;
  /** Whether there is more between `place` and `end`. */
  hasMore: boolean;
  /** True: it cannot be told; there are no events, and `place` is the end. */
  reset: boolean;
}

export interface SinceQuery {
  /** undefined: from now on. */
  after: Place | undefined;
  /** Events at most, hidden ones included. */
  limit: number;
  epoch: string;
  forAgents: boolean;
}

/** The end, where nothing is newer than `after`; undefined where something is, or it is not here. */
export async function unchangedSince(
  receiptsOf: (conversationId: string) => Promise<ReceiptRow[]>,
  row: FullConversationRow,
  { after, epoch }: SinceQuery,
): Promise<Since | undefined> {
  if (after === undefined || after.epoch !== epoch || after.seq !== row.last_seq) return undefined;
  const receipts = await receiptsOf(row.id);
  const end = endOf(row, receipts, epoch);
  if (isAhead(after, end) || receipts.some((receipt) => isNewer(receipt, after))) return undefined;
  return { events: [], place: end, end, hasMore: false, reset: false };
}

/** @param db a transaction in which `row` was read, so that all is as of one moment. */
export async function readSince(
  db: Db,
  row: FullConversationRow,
  { after, limit, epoch, forAgents }: SinceQuery,
): Promise<Since> {
  const receipts = await receiptsOf(db, row.id);
  const end = endOf(row, receipts, epoch);
  const nothing = { events: [], place: end, end, hasMore: false };
  if (after === undefined) return { ...nothing, reset: false };
  if (after.epoch !== epoch || isAhead(after, end)) return { ...nothing, reset: true };
  const log = after.seq === end.seq ? [] : await eventsAfter(db, row.id, after.seq, limit + 1);
  const newer = receipts.filter((receipt) => isNewer(receipt, after));
  const all = merge(log, newer);
  const page = all.slice(0, limit);
  const last = page.at(-1);
  const pointers = toPointers(row);
  return {
    events: page.map((entry): Happening => {
      if ("number" in entry) return toReceiptEvent(entry);
      const { forAgents: full, forVisitors } = toLogEntry(entry.event, entry.message, pointers);
      return forAgents ? full : forVisitors;
    }),
    place: last === undefined || page.length === all.length ? end : placeOf(last, epoch),
    end,
    hasMore: page.length < all.length,
    reset: false,
  };
}

function endOf(
  row: FullConversationRow,
  receipts: readonly ReceiptRow[],
  epoch: string,
): Required<Place> {
  return { epoch, seq: row.last_seq, number: receipts.at(-1)?.number ?? 0 };
}

/** A place that this conversation has not reached. */
function isAhead(place: Place, end: Required<Place>): boolean {
  return place.seq > end.seq || (place.number ?? 0) > end.number;
}

function isNewer(receipt: ReceiptRow, { seq, number }: Place): boolean {
  return number === undefined ? receipt.at_seq >= seq : receipt.number > number;
}

type Entry = EventWithMessage | ReceiptRow;

function placeOf(entry: Entry, epoch: string): Place {
  if ("number" in entry) return { epoch, seq: entry.at_seq, number: entry.number };
  return { epoch, seq: entry.event.seq };
}

/** A receipt stands behind the event that it came after. Both lists are in order. */
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

function toReceiptEvent(row: ReceiptRow): Happening {
  const { conversation_id: conversationId, user_id: userId, role } = row;
  const receipt = toReceipt(row);
  return {
    type: "receipt",
    timestamp: receipt.createdAt,
    data: { conversationId, userId, role, receipt },
  };
}
