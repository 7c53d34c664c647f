/**
 * The inbox list as pure functions: the state of a row, which rows a filter shows, and their order.
 */
import type { Conversation, ConversationStatus } from "../../protocol/model.ts";
import type { ConversationView } from "../../protocol/rest.ts";

export type StatusFilter = ConversationStatus | "all";

export interface ListFilter {
  view: ConversationView;
  status: StatusFilter;
  /** A label's id: only conversations with this label. */
  label?: string;
}

export const DEFAULT_FILTER: ListFilter = { view: "all", status: "open" };

export interface Row {
  conversation: Conversation;
  /** How many of the contact's messages this agent has read; null while unknown. */
  readInbound: number | null;
}

export type Rows = ReadonlyMap<string, Row>;

/** The end of the loaded part: rows after it are not shown, even if they are known. */
export interface Tail {
  lastActivityAt: string;
  id: string;
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** The filter in a page's query. Unknown values become the default. */
export function filterOf(params: URLSearchParams): ListFilter {
  const label = params.get("label");
  const view = params.get("view");
  const status = params.get("status");
  return {
    view: view === "mine" || view === "unassigned" ? view : DEFAULT_FILTER.view,
    status: status === "pending" || status === "snoozed" || status === "resolved" ||
        status === "all"
      ? status
      : DEFAULT_FILTER.status,
    ...(label !== null && UUID.test(label) ? { label } : {}),
  };
}

/** "?view=mine&status=all", or "" for the default filter. */
export function filterQuery(filter: ListFilter): string {
  const params = new URLSearchParams();
  if (filter.view !== DEFAULT_FILTER.view) params.set("view", filter.view);
  if (filter.status !== DEFAULT_FILTER.status) params.set("status", filter.status);
  if (filter.label !== undefined) params.set("label", filter.label);
  const query = params.toString();
  return query === "" ? "" : `?${query}`;
}

export function matches(conversation: Conversation, filter: ListFilter, userId: string): boolean {
  if (filter.status !== "all" && conversation.status !== filter.status) return false;
  if (filter.label !== undefined) {
    if (!conversation.labels?.some(({ id }) => id === filter.label)) return false;
  }
  if (filter.view === "mine") return conversation.assignee?.userId === userId;
  if (filter.view === "unassigned") return conversation.assignee === null;
  return true;
}

/** Newest activity first; for equal times the ids decide, which grow with time. */
export function compare(a: Conversation, b: Conversation): number {
  if (a.lastActivityAt !== b.lastActivityAt) return a.lastActivityAt < b.lastActivityAt ? 1 : -1;
  return a.id === b.id ? 0 : a.id < b.id ? 1 : -1;
}

export function unreadOf(row: Row): number {
  if (row.readInbound === null) return 0;
  return Math.max(0, row.conversation.inboundCount - row.readInbound);
}

/**
 * Takes a conversation from the server. An answer to this agent contains `unread` and sets what is
 * read; a broadcast does not contain it. A conversation that is older than the known one (a slow
 * answer after an event) changes only the read count.
 */
export function merge(rows: Rows, conversation: Conversation): Rows {
  const known = rows.get(conversation.id);
  const readInbound = conversation.unread === undefined
    ? known?.readInbound ?? firstRead(conversation)
    : conversation.inboundCount - conversation.unread;
  const stale = known !== undefined && known.conversation.lastSeq > conversation.lastSeq;
  const next = new Map(rows);
  next.set(conversation.id, {
    conversation: stale ? known.conversation : conversation,
    readInbound,
  });
  return next;
}

/** A conversation that is new here and has one message is new: nothing of it is read. */
function firstRead(conversation: Conversation): number | null {
  return conversation.inboundCount <= 1 ? 0 : null;
}

export function mergeAll(rows: Rows, conversations: Iterable<Conversation>): Rows {
  let next = rows;
  for (const conversation of conversations) next = merge(next, conversation);
  return next;
}

/** After an `unread` event, which counts from the messages that are known now. */
export function setUnread(rows: Rows, id: string, unread: number): Rows {
  const row = rows.get(id);
  if (row === undefined) return rows;
  const next = new Map(rows);
  next.set(id, { ...row, readInbound: row.conversation.inboundCount - unread });
  return next;
}

export function patch(rows: Rows, id: string, change: Partial<Conversation>): Rows {
  const row = rows.get(id);
  if (row === undefined) return rows;
  const next = new Map(rows);
  next.set(id, { ...row, conversation: { ...row.conversation, ...change } });
  return next;
}

/** The rows that the list shows, in its order. */
export function visibleRows(
  rows: Rows,
  filter: ListFilter,
  userId: string,
  tail: Tail | null,
): Row[] {
  const shown: Row[] = [];
  for (const row of rows.values()) {
    const { conversation } = row;
    if (!matches(conversation, filter, userId)) continue;
    if (tail !== null && isPast(conversation, tail)) continue;
    shown.push(row);
  }
  return shown.sort((a, b) => compare(a.conversation, b.conversation));
}

function isPast(conversation: Conversation, tail: Tail): boolean {
  if (conversation.lastActivityAt !== tail.lastActivityAt) {
    return conversation.lastActivityAt < tail.lastActivityAt;
  }
  return conversation.id < tail.id;
}

/** The end of the loaded part: the last item while more pages follow, else null. */
export function tailOf(items: Conversation[], nextCursor: string | null): Tail | null {
  const last = items.at(-1);
  if (nextCursor === null || last === undefined) return null;
  return { lastActivityAt: last.lastActivityAt, id: last.id };
}

/** What it adds to the total, which leaves resolved conversations out. */
export function countedOf(row: Row): number {
  return row.conversation.status === "resolved" ? 0 : unreadOf(row);
}

export function sumUnread(rows: Rows): number {
  let sum = 0;
  for (const row of rows.values()) sum += countedOf(row);
  return sum;
}
