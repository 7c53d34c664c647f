import { batch, computed, signal } from "@preact/signals";
import type { Conversation } from "../../protocol/model.ts";
import type { ConversationList } from "../../protocol/rest.ts";
import {
  apiFilter,
  compare,
  isServerOnly,
  type ListFilter,
  matches,
  merge,
  mergeAll,
  patch,
  queryOf,
  type Row,
  type Rows,
  setUnread,
  sumUnread,
  type Tail,
  tailOf,
  unreadOf,
  visibleRows,
} from "./list_state.ts";
import { errorText } from "./api.ts";

const PAGE = 50;
/** How many pages a reload in the background reads before the list ends there. */
const MAX_RELOAD_PAGES = 4;
/** Milliseconds for which changes are collected before the server is asked which rows fit. */
const ASK_MS = 1500;

export interface ListDeps {
  userId: string;
  /** Sends a GET as this agent; undefined: the response is still the one with this ETag. */
  get: <T>(path: string, ifNoneMatch?: string) => Promise<T>;
}

export type ListModel = ReturnType<typeof createListModel>;

/**
 * The known conversations, and the part of them that the list shows.
 *
 * @param firstTag the ETag of `first`, which is not downloaded again as long as it is the same
 */
export function createListModel(
  first: ConversationList,
  startFilter: ListFilter,
  deps: ListDeps,
  firstTag?: string,
) {
  const rows = signal<Rows>(mergeAll(new Map(), first.items, deps.userId));
  const filter = signal(startFilter);
  const status = signal<"ready" | "loading" | "error">("ready");
  const error = signal<string | null>(null);
  const loadingMore = signal(false);
  /** What the server has found with the filter. */
  const found = signal<ReadonlySet<string>>(idsOf(first.items));
  const cursor = signal(first.nextCursor);
  const tail = signal<Tail | null>(tailOf(first.items, first.nextCursor));
  /** Counted by the server; between its answers it follows the changes of rows. */
  const totalUnread = signal(sumUnread(rows.value));

  const visible = computed<Row[]>(() =>
    visibleRows(rows.value, filter.value, deps.userId, tail.value, found.value)
  );

  // A change of the filter invalidates the answers to earlier requests.
  let run = 0;
  /** What the first page would be if nothing had changed since the page was rendered. */
  let known = firstTag;
  // Conversations that changed by an event while a page was loading: they are newer than the page.
  let touched = new Set<string>();

  function pagePath(after: string | null): string {
    const query = queryOf({ ...apiFilter(filter.value), view: filter.value.view });
    query.set("limit", String(PAGE));
    if (after !== null) query.set("cursor", after);
    return `/api/conversations?${query}`;
  }

  function add(conversation: Conversation) {
    touched.add(conversation.id);
    rows.value = merge(rows.value, conversation, deps.userId);
  }

  /**
   * Reads from the start to the present end of the list, and drops rows that do not exist any more.
   */
  async function reload(): Promise<void> {
    const mine = ++run;
    touched = new Set();
    const goal = status.value === "ready" ? tail.value : null;
    const first = status.value !== "ready";
    const ifNoneMatch = first ? undefined : known;
    known = undefined;
    const items: Conversation[] = [];
    let next: string | null = null;
    try {
      for (let page = 0; page < MAX_RELOAD_PAGES; page++) {
        const answer: ConversationList | undefined = await deps.get(
          pagePath(next),
          page === 0 ? ifNoneMatch : undefined,
        );
        if (mine !== run || answer === undefined) return;
        items.push(...answer.items);
        next = answer.nextCursor;
        const last = items.at(-1);
        if (first || next === null || last === undefined) break;
        if (goal !== null && compare(last, goal, filter.value.sort) >= 0) break;
      }
    } catch (cause) {
      if (mine !== run) return;
      error.value = errorText(cause);
      if (first) status.value = "error";
      return;
    }
    const ids = idsOf(items);
    const end = next === null ? undefined : items.at(-1);
    const kept = [...rows.value].filter(([id, { conversation }]) =>
      ids.has(id) || touched.has(id) || !matches(conversation, filter.value, deps.userId, ids) ||
      (end !== undefined && compare(conversation, end, filter.value.sort) > 0)
    );
    batch(() => {
      rows.value = mergeAll(new Map(kept), items, deps.userId);
      found.value = ids;
      cursor.value = next;
      tail.value = tailOf(items, next);
      status.value = "ready";
      error.value = null;
      loadingMore.value = false;
    });
  }

  async function loadMore(): Promise<void> {
    const after = cursor.value;
    if (after === null || loadingMore.value || status.value !== "ready") return;
    const mine = run;
    loadingMore.value = true;
    try {
      const answer = await deps.get<ConversationList>(pagePath(after));
      if (mine !== run) return;
      batch(() => {
        rows.value = mergeAll(rows.value, answer.items, deps.userId);
        found.value = new Set([...found.value, ...idsOf(answer.items)]);
        cursor.value = answer.nextCursor;
        tail.value = tailOf(answer.items, answer.nextCursor);
        error.value = null;
      });
    } catch (cause) {
      if (mine === run) error.value = errorText(cause);
    } finally {
      if (mine === run) loadingMore.value = false;
    }
  }

  function setFilter(next: ListFilter): Promise<void> {
    batch(() => {
      filter.value = next;
      status.value = "loading";
      error.value = null;
      cursor.value = null;
      tail.value = null;
      loadingMore.value = false;
    });
    return reload();
  }

  /** Requests one conversation, because an event contained only a part of it. */
  async function fetchRow(id: string): Promise<Conversation | null> {
    try {
      const conversation = await deps.get<Conversation>(`/api/conversations/${id}`);
      add(conversation);
      return conversation;
    } catch {
      return null;
    }
  }

  /** Asks the server which conversations the filter shows now, soon and once for several changes. */
  let soon: ReturnType<typeof setTimeout> | undefined;
  function ask() {
    soon ??= setTimeout(() => {
      soon = undefined;
      if (isServerOnly(filter.value)) void reload();
    }, ASK_MS);
  }

  /**
   * A row from the agents' broadcast, which lacks this agent's unread count: that is requested
   * once.
   */
  const asking = new Set<string>();
  function receive(conversation: Conversation) {
    const { id, lastMessage, lastSeq } = conversation;
    const known = rows.value.get(id);
    add(conversation);
    if (isServerOnly(filter.value) && !found.value.has(id)) ask();
    const row = rows.value.get(id)!;
    if (known !== undefined && known.readInbound !== null) {
      totalUnread.value += unreadOf(row) - unreadOf(known);
    } else if (row.concerns && lastMessage?.role === "visitor" && lastMessage.seq === lastSeq) {
      totalUnread.value++;
    }
    if (!row.concerns || row.readInbound !== null || asking.has(id)) return;
    asking.add(id);
    fetchRow(id).finally(() => asking.delete(id));
  }

  return {
    rows,
    filter,
    status,
    error,
    loadingMore,
    hasMore: computed(() => cursor.value !== null),
    visible,
    totalUnread,
    reload,
    /** Asks the server again, where time alone changes what the filter shows. */
    tick: () => void (filter.value.waitingMinutes !== undefined && ask()),
    loadMore,
    setFilter,
    fetchRow,
    receive,
    merge: add,
    patch: (id: string, change: Partial<Conversation>) => {
      rows.value = patch(rows.value, id, change, deps.userId);
    },
    setTotalUnread: (total: number) => {
      totalUnread.value = total;
    },
    /** From an `unread` event; without a total it is an optimistic update. */
    setUnread: (id: string, unread: number, total?: number) => {
      batch(() => {
        const row = rows.value.get(id);
        rows.value = setUnread(rows.value, id, unread);
        const change = row === undefined ? unread : unreadOf(rows.value.get(id)!) - unreadOf(row);
        totalUnread.value = total ?? Math.max(0, totalUnread.value + change);
      });
    },
    unreadOf: (id: string) => {
      const row = rows.value.get(id);
      return row === undefined ? 0 : unreadOf(row);
    },
  };
}

function idsOf(conversations: readonly Conversation[]): Set<string> {
  return new Set(conversations.map(({ id }) => id));
}
