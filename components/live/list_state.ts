/**
 * The inbox list as pure functions: the state of a row, which rows a filter shows, and their order.
 */
import type { Conversation, ConversationStatus, Priority } from "../../protocol/model.ts";
import type {
  ConversationFilter,
  ConversationSort,
  ConversationView,
} from "../../protocol/rest.ts";

export type StatusFilter = ConversationStatus | "all";

export interface ListFilter extends Omit<ConversationFilter, "view" | "status"> {
  view: ConversationView;
  status: StatusFilter;
}

export const DEFAULT_FILTER: ListFilter = { view: "all", status: "open" };

export interface Row {
  conversation: Conversation;
  /** How many of the contact's messages this agent has read; null while unknown. */
  readInbound: number | null;
  /** Whether what is unread in it is for this agent; see domain/conversations/unread.ts. */
  concerns: boolean;
  /** Marked as unread by this agent, although it does not concern them. */
  marked: boolean;
}

export type Rows = ReadonlyMap<string, Row>;

/** The end of the loaded part as it was loaded: rows after it are not shown, even if they are known. */
export type Tail = Conversation;

/** As in protocol/model.ts, whose module would bring zod into the page. */
const LEVELS: Priority[] = ["none", "low", "normal", "high", "urgent"];

export function levelOf({ priority = "none" }: Conversation): number {
  return LEVELS.indexOf(priority);
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** As the API has it: without what is no limit. */
export function apiFilter({ status, view, sort, ...filter }: ListFilter): ConversationFilter {
  return {
    ...filter,
    ...(view === "all" ? {} : { view }),
    ...(status === "all" ? {} : { status }),
    ...(sort === undefined || sort === "newest" ? {} : { sort }),
  };
}

export function listFilter(filter: ConversationFilter): ListFilter {
  return { ...filter, view: filter.view ?? "all", status: filter.status ?? "all" };
}

const VIEWS: ConversationView[] = ["mine", "unassigned", "mentions"];
const STATUSES: StatusFilter[] = ["pending", "snoozed", "resolved", "all"];
const SORTS: ConversationSort[] = ["waiting", "priority"];
/** Minutes of the longest wait, and characters of a text, that a filter may have. */
const MAX_WAITING = 43_200;
const MAX_TEXT = 200;

/** The filter in a page's query. Unknown values become the default. */
export function filterOf(params: URLSearchParams): ListFilter {
  const one = <T extends string>(name: string, values: readonly T[]) =>
    values.find((value) => value === params.get(name));
  const filter: ListFilter = {
    view: one("view", VIEWS) ?? DEFAULT_FILTER.view,
    status: one("status", STATUSES) ?? DEFAULT_FILTER.status,
  };
  for (const name of ["assignee", "team", "label", "widget"] as const) {
    const id = params.get(name);
    if (id !== null && UUID.test(id)) filter[name] = id;
  }
  const priority = one("priority", LEVELS);
  if (priority !== undefined) filter.priority = priority;
  const channel = params.get("channel") ?? "";
  if (/^[a-z0-9_-]{1,40}$/.test(channel)) filter.channel = channel;
  if (params.get("unread") === "true") filter.unread = true;
  const minutes = Number(params.get("waitingMinutes"));
  if (Number.isInteger(minutes) && minutes > 0 && minutes <= MAX_WAITING) {
    filter.waitingMinutes = minutes;
  }
  const text = params.get("q")?.trim().slice(0, MAX_TEXT);
  if (text) filter.q = text;
  const sort = one("sort", SORTS);
  if (sort !== undefined) filter.sort = sort;
  return filter;
}

/** "?view=mine&status=all", or "" for the default filter. */
export function filterQuery(filter: ListFilter): string {
  const { status: _status, ...rest } = apiFilter(filter);
  const params = queryOf(rest);
  if (filter.status !== DEFAULT_FILTER.status) params.set("status", filter.status);
  params.sort();
  const query = params.toString();
  return query === "" ? "" : `?${query}`;
}

export function queryOf(filter: ConversationFilter): URLSearchParams {
  const values = Object.entries(filter).filter(([, value]) => value !== undefined);
  return new URLSearchParams(values.map(([name, value]) => [name, String(value)]));
}

/** Whether only the server knows which conversations it shows, because it depends on more than rows. */
export function isServerOnly({ view, widget, unread, waitingMinutes, q }: ListFilter): boolean {
  return view === "mentions" || widget !== undefined || unread === true || q !== undefined ||
    waitingMinutes !== undefined;
}

const NONE: ReadonlySet<string> = new Set();

/** @param found ids that the server has found with this filter; needed where `isServerOnly` */
export function matches(
  conversation: Conversation,
  filter: ListFilter,
  userId: string,
  found: ReadonlySet<string> = NONE,
): boolean {
  const { status, assignee = null, labels, priority = "none", teamId, platform } = conversation;
  if (filter.status !== "all" && status !== filter.status) return false;
  if (filter.label !== undefined && !labels?.some(({ id }) => id === filter.label)) return false;
  if (filter.team !== undefined && teamId !== filter.team) return false;
  if (filter.priority !== undefined && priority !== filter.priority) return false;
  if (filter.channel !== undefined && platform !== filter.channel) return false;
  if (filter.assignee !== undefined && assignee?.userId !== filter.assignee) return false;
  if (filter.waitingMinutes !== undefined && conversation.waitingSince === null) return false;
  if (filter.view === "mine" && assignee?.userId !== userId) return false;
  if (filter.view === "unassigned" && assignee !== null) return false;
  return !isServerOnly(filter) || found.has(conversation.id);
}

/** The order of the list, as domain/conversations/list.ts has it. */
export function compare(
  a: Conversation,
  b: Conversation,
  sort: ConversationSort = "newest",
): number {
  if (sort === "priority" && levelOf(a) !== levelOf(b)) return levelOf(b) - levelOf(a);
  if (sort === "waiting" && a.waitingSince !== b.waitingSince) {
    if (a.waitingSince === null || b.waitingSince === null) return a.waitingSince === null ? 1 : -1;
    return a.waitingSince < b.waitingSince ? -1 : 1;
  }
  if (sort === "waiting" && a.waitingSince !== null) return a.id < b.id ? -1 : a.id > b.id ? 1 : 0;
  // For equal times the ids decide, which grow with time.
  if (a.lastActivityAt !== b.lastActivityAt) return a.lastActivityAt < b.lastActivityAt ? 1 : -1;
  return a.id === b.id ? 0 : a.id < b.id ? 1 : -1;
}

/** As `unreadFor` of the server: nobody has dealt with it, or it is this agent's. */
function concernsAgent(conversation: Conversation, userId: string): boolean {
  const { status, assignee, waitingSince } = conversation;
  if (status === "resolved") return false;
  if (assignee !== null) return assignee.userId === userId;
  return waitingSince !== null && status !== "snoozed";
}

export function unreadOf(row: Row): number {
  if (row.readInbound === null || !(row.concerns || row.marked)) return 0;
  return Math.max(0, row.conversation.inboundCount - row.readInbound);
}

/**
 * Takes a conversation from the server. An answer to this agent contains `unread` and sets what is
 * read; a broadcast does not contain it. A conversation that is older than the known one (a slow
 * answer after an event) changes only the read count.
 */
export function merge(rows: Rows, conversation: Conversation, userId: string): Rows {
  const known = rows.get(conversation.id);
  const { unread, inboundCount } = conversation;
  const stale = known !== undefined && known.conversation.lastSeq > conversation.lastSeq;
  const current = stale ? known.conversation : conversation;
  const row = {
    conversation: current,
    concerns: concernsAgent(current, userId),
    readInbound: known?.readInbound ?? firstRead(conversation),
    marked: known?.marked ?? false,
  };
  if (unread !== undefined) {
    const concerned = concernsAgent(conversation, userId);
    row.marked = !concerned && unread > 0;
    // What does not concern the agent may be read or not.
    row.readInbound = concerned || row.marked ? inboundCount - unread : null;
  }
  const next = new Map(rows);
  next.set(conversation.id, row);
  return next;
}

/** A conversation that is new here and has one message is new: nothing of it is read. */
function firstRead(conversation: Conversation): number | null {
  return conversation.inboundCount <= 1 ? 0 : null;
}

export function mergeAll(
  rows: Rows,
  conversations: Iterable<Conversation>,
  userId: string,
): Rows {
  let next = rows;
  for (const conversation of conversations) next = merge(next, conversation, userId);
  return next;
}

/** After an `unread` event, which counts from the messages that are known now. */
export function setUnread(rows: Rows, id: string, unread: number): Rows {
  const row = rows.get(id);
  if (row === undefined) return rows;
  const marked = !row.concerns && unread > 0;
  const readInbound = row.concerns || marked
    ? row.conversation.inboundCount - unread
    : row.readInbound;
  const next = new Map(rows);
  next.set(id, { ...row, readInbound, marked });
  return next;
}

export function patch(
  rows: Rows,
  id: string,
  change: Partial<Conversation>,
  userId: string,
): Rows {
  const row = rows.get(id);
  if (row === undefined) return rows;
  const next = new Map(rows);
  const conversation = { ...row.conversation, ...change };
  next.set(id, { ...row, conversation, concerns: concernsAgent(conversation, userId) });
  return next;
}

/** The rows that the list shows, in its order. */
export function visibleRows(
  rows: Rows,
  filter: ListFilter,
  userId: string,
  tail: Tail | null,
  found: ReadonlySet<string> = NONE,
): Row[] {
  const shown: Row[] = [];
  for (const row of rows.values()) {
    const { conversation } = row;
    if (!matches(conversation, filter, userId, found)) continue;
    if (tail !== null && compare(conversation, tail, filter.sort) > 0) continue;
    shown.push(row);
  }
  return shown.sort((a, b) => compare(a.conversation, b.conversation, filter.sort));
}

/** The end of the loaded part: the last item while more pages follow, else null. */
export function tailOf(items: Conversation[], nextCursor: string | null): Tail | null {
  const last = items.at(-1);
  if (nextCursor === null || last === undefined) return null;
  return last;
}

export function sumUnread(rows: Rows): number {
  let sum = 0;
  for (const row of rows.values()) sum += unreadOf(row);
  return sum;
}
