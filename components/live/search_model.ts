import { batch, computed, signal } from "@preact/signals";
import type { Conversation } from "../../protocol/model.ts";
import type { SearchKind, SearchResponse } from "../../protocol/search.ts";
import { MAX_QUERY } from "./limits.ts";
import { type Found, foundIn } from "./search_rows.ts";
import { type ApiRequest, errorText } from "./api.ts";

/** Milliseconds without a key after which a query is sent. */
const PAUSE_MS = 150;
/** Results of each kind at first, and of one kind in each further page. */
const FIRST = 6;
const MORE = 20;

export interface SearchDeps {
  request: <T>(path: string, init?: Omit<ApiRequest, "token">) => Promise<T>;
  /** Shows a conversation, or a message in it. */
  show: (conversationId: string, message?: { id: string; seq: number }) => void;
  announce: (words: string) => void;
  fail: (error: unknown) => void;
}

export type SearchModel = ReturnType<typeof createSearch>;

/** The search of the inbox: the query, the results, and the selected result. */
export function createSearch(deps: SearchDeps) {
  const query = signal("");
  /** While "asking" the previous results stay visible. */
  const status = signal<"idle" | "asking" | "ready" | "error">("idle");
  const error = signal<string | null>(null);
  const answer = signal<SearchResponse>({});
  /** The query that the answer belongs to. */
  const answered = signal<string | null>(null);
  /** The kind whose next page is loading. */
  const loading = signal<SearchKind | null>(null);
  const active = signal<string | null>(null);

  const searching = computed(() => query.value.trim() !== "");
  const groups = computed(() => foundIn(answer.value));
  const rows = computed(() => groups.value.flatMap(({ rows }) => rows));

  let timer: ReturnType<typeof setTimeout> | undefined;
  let running: AbortController | null = null;

  function stop() {
    clearTimeout(timer);
    running?.abort();
    running = null;
  }

  function set(next: string) {
    query.value = next.slice(0, MAX_QUERY);
    stop();
    loading.value = null;
    if (searching.value) {
      status.value = "asking";
      timer = setTimeout(run, PAUSE_MS);
    } else clear();
  }

  function clear() {
    stop();
    batch(() => {
      query.value = "";
      status.value = "idle";
      error.value = null;
      answer.value = {};
      answered.value = null;
      active.value = null;
      loading.value = null;
    });
  }

  function get(q: string, more: Record<string, string>, signal: AbortSignal) {
    const path = `/api/search?${new URLSearchParams({ q, ...more })}`;
    return deps.request<SearchResponse>(path, { signal });
  }

  /** Sends the current query. */
  async function run(): Promise<void> {
    stop();
    const mine = running = new AbortController();
    const q = query.value.trim();
    status.value = "asking";
    try {
      const found = await get(q, { limit: String(FIRST) }, mine.signal);
      if (mine !== running) return;
      batch(() => {
        answer.value = found;
        answered.value = q;
        status.value = "ready";
        error.value = null;
        active.value = rows.value[0]?.key ?? null;
      });
      const count = rows.value.filter(({ kind }) => kind !== "more").length;
      deps.announce(count === 0 ? "Nothing found" : count === 1 ? "1 found" : `${count} found`);
    } catch (cause) {
      if (mine !== running) return;
      batch(() => {
        status.value = "error";
        error.value = errorText(cause);
      });
    }
  }

  async function more(kind: SearchKind): Promise<void> {
    const known = answer.value[kind];
    const q = answered.value;
    if (!known?.nextCursor || q === null || loading.value !== null) return;
    const mine = running = new AbortController();
    loading.value = kind;
    try {
      const query = { kind, cursor: known.nextCursor, limit: String(MORE) };
      const next = (await get(q, query, mine.signal))[kind]!;
      if (mine !== running) return;
      const before = new Set(rows.value.map(({ key }) => key));
      batch(() => {
        const items = [...known.items, ...next.items];
        answer.value = { ...answer.value, [kind]: { ...next, items } };
        // The first new result takes the position of "Show more".
        active.value = rows.value.find(({ key }) => !before.has(key))?.key ?? active.value;
      });
    } catch (cause) {
      if (mine === running) deps.fail(cause);
    } finally {
      if (mine === running) loading.value = null;
    }
  }

  function move(step: 1 | -1 | "first" | "last") {
    const keys = rows.value.map(({ key }) => key);
    if (keys.length === 0) return;
    const now = keys.indexOf(active.value ?? "");
    const to = step === "first" ? 0 : step === "last" ? keys.length - 1 : now + step;
    active.value = keys[Math.min(Math.max(to, 0), keys.length - 1)]!;
  }

  async function open(row: Found): Promise<void> {
    active.value = row.key;
    if (row.kind === "more") return await more(row.of);
    if (row.kind === "message") {
      return deps.show(row.message.conversation.id, row.message);
    }
    if (row.kind === "conversation") return deps.show(row.conversation.id);
    const { id, conversationId } = row.contact;
    if (conversationId !== null) return deps.show(conversationId);
    try {
      const body = { contactId: id };
      const init = { method: "POST", body } as const;
      deps.show((await deps.request<Conversation>("/api/conversations", init)).id);
    } catch (cause) {
      deps.fail(cause);
    }
  }

  return {
    query,
    searching,
    status,
    error,
    answered,
    groups,
    active,
    loading,
    set,
    clear,
    run,
    move,
    open,
    /** Opens the selected result, but never one of an earlier query. */
    openActive: async () => {
      if (status.value === "asking") await run();
      if (status.value !== "ready") return;
      const row = rows.value.find(({ key }) => key === active.value);
      if (row !== undefined) await open(row);
    },
    close: stop,
  };
}
