import { signal } from "@preact/signals";
import type { ParleyClient } from "../../client/mod.ts";
import type { Draft, DraftList, DraftMode } from "../../protocol/drafts.ts";
import { readUnsaved, writeUnsaved } from "../storage/drafts.ts";
import type { ApiError, ApiRequest } from "./api.ts";
import {
  chosen,
  draftKey,
  draftPreview,
  type DraftText,
  type DraftTexts,
  isUnsaved,
  received,
  reread,
} from "./drafts_state.ts";
import { MAX_CONTENT } from "./limits.ts";

/** Milliseconds without a keystroke before a draft is saved, and after which it is saved anyway. */
const IDLE_MS = 1_000;
const MAX_WAIT_MS = 5_000;
/** Milliseconds before a failed saving is tried again; doubles up to the last one. */
const RETRY_MS = [5_000, 10_000, 30_000, 60_000];

export interface DraftDeps {
  userId: string;
  request: <T>(path: string, init?: Omit<ApiRequest, "token">) => Promise<T>;
  fail: (error: unknown) => void;
}

export type DraftsModel = ReturnType<typeof createDrafts>;

/**
 * What the agent has written and not sent, in all conversations. It is saved on the server a moment
 * after the last keystroke; what is not saved yet is kept in the browser, too.
 */
export function createDrafts(first: readonly Draft[], deps: DraftDeps) {
  const { userId } = deps;
  const texts = signal<DraftTexts>(reread(new Map(), first, new Set()));
  /** What is being saved, by key. */
  const sending = new Map<string, string>();
  const timers = new Map<string, { timer: ReturnType<typeof setTimeout>; since: number }>();
  let changed = new Set<string>();
  let failures = 0;

  function put(text: DraftText) {
    const key = draftKey(text.conversationId, text.mode);
    changed.add(key);
    texts.value = new Map(texts.value).set(key, text);
    keep(text);
  }

  function keep(text: DraftText) {
    const { conversationId, mode, content, version } = text;
    const unsaved = isUnsaved(text) ? content : null;
    writeUnsaved({ userId, conversationId, mode }, unsaved, version);
  }

  const of = (conversationId: string, mode: DraftMode): DraftText =>
    texts.value.get(draftKey(conversationId, mode)) ??
      { conversationId, mode, content: "", saved: "", version: 0, other: null };

  function plan(key: string, ms: number) {
    const planned = timers.get(key);
    const since = planned?.since ?? Date.now();
    clearTimeout(planned?.timer);
    const wait = Math.max(0, Math.min(ms, since + MAX_WAIT_MS - Date.now()));
    timers.set(key, { timer: setTimeout(() => void save(key), wait), since });
  }

  function unplan(key: string) {
    clearTimeout(timers.get(key)?.timer);
    timers.delete(key);
  }

  function edit(conversationId: string, mode: DraftMode, content: string) {
    const text = { ...of(conversationId, mode), content };
    put(text);
    // Sent or emptied: other devices should not offer it any more.
    if (isUnsaved(text)) plan(draftKey(conversationId, mode), content === "" ? 0 : IDLE_MS);
    else unplan(draftKey(conversationId, mode));
  }

  /** Puts a text that was not sent back before what is there by now. */
  function prepend(conversationId: string, mode: DraftMode, content: string) {
    const now = of(conversationId, mode).content;
    edit(conversationId, mode, [content, now].filter((text) => text.trim() !== "").join("\n"));
  }

  function receive(draft: Draft) {
    const key = draftKey(draft.conversationId, draft.mode);
    const known = texts.value.get(key);
    const next = received(known, draft, sending.get(key));
    if (next === known) return;
    put(next);
    if (isUnsaved(next) && next.other === null && !sending.has(key)) plan(key, IDLE_MS);
  }

  async function readAll(query: string): Promise<Draft[]> {
    const items: Draft[] = [];
    for (let cursor: string | null = ""; cursor !== null;) {
      const after: string = cursor === "" ? "" : `&cursor=${cursor}`;
      const page: DraftList = await deps.request<DraftList>(`/api/drafts?${query}${after}`);
      items.push(...page.items);
      cursor = page.nextCursor;
    }
    return items;
  }

  /** Reads what was changed elsewhere while there was no connection, and saves what was not saved. */
  async function reload(): Promise<void> {
    changed = new Set();
    const items = await readAll("limit=100").catch(() => null);
    if (items !== null) texts.value = reread(texts.value, items, changed);
    for (const [key, text] of texts.value) {
      keep(text);
      if (isUnsaved(text) && text.other === null) plan(key, 0);
    }
  }

  async function save(key: string, last = false): Promise<void> {
    unplan(key);
    const text = texts.value.get(key);
    if (text === undefined || !isUnsaved(text) || text.other !== null || sending.has(key)) return;
    const { conversationId, mode, content, version } = text;
    // The composer says that it is too long; as soon as it can be sent, it is saved, too.
    if (content.length > MAX_CONTENT) return;
    sending.set(key, content);
    try {
      const path = `/api/conversations/${conversationId}/draft`;
      const body = { mode, content, ...(version === 0 ? {} : { version }) };
      const draft = await deps.request<Draft>(path, { method: "PATCH", body, keepalive: last });
      failures = 0;
      receive(draft);
    } catch (cause) {
      await refused(key, conversationId, cause as ApiError);
    } finally {
      sending.delete(key);
      const now = texts.value.get(key);
      const more = now !== undefined && isUnsaved(now) && now.content !== content;
      if (more && !timers.has(key)) plan(key, IDLE_MS);
    }
  }

  async function refused(key: string, conversationId: string, cause: ApiError): Promise<void> {
    if (cause.code === "precondition_failed") {
      const items = await readAll(`conversationId=${conversationId}`).catch(() => []);
      for (const draft of items) receive(draft);
      const now = texts.value.get(key);
      const isThere = items.some((one) => draftKey(conversationId, one.mode) === key);
      // Deleted elsewhere at the same moment: this is the only text.
      if (now !== undefined && !isThere) put({ ...now, version: 0, saved: "" });
      plan(key, IDLE_MS);
    } else if (cause.code === "not_found") {
      // Its conversation was deleted. What is in the composer stays as long as that is open.
      const text = texts.value.get(key);
      if (text !== undefined) writeUnsaved({ userId, conversationId, mode: text.mode }, null, 0);
    } else if (cause.code === "conflict") deps.fail(cause);
    else if (cause.status === 0 || cause.status >= 500 || cause.status === 429) {
      const wait = RETRY_MS[Math.min(failures++, RETRY_MS.length - 1)]!;
      timers.set(key, { timer: setTimeout(() => void save(key), wait), since: Date.now() });
    }
  }

  /** Saves at once what waits. */
  async function flush(last = false): Promise<void> {
    await Promise.all([...timers.keys()].map((key) => save(key, last)));
  }

  const onLeave = () => void flush(true);
  const onHide = () => void (document.visibilityState === "hidden" && flush(true));

  return {
    of,
    edit,
    prepend,
    flush,
    /** Of two texts that were written on two devices, the agent keeps this one, that one, or both. */
    choose(conversationId: string, mode: DraftMode, choice: "this" | "other" | "both") {
      const next = chosen(of(conversationId, mode), choice);
      put(next);
      if (isUnsaved(next)) plan(draftKey(conversationId, mode), 0);
    },
    /** The beginning of what is not sent in a conversation; null: nothing. */
    preview: (conversationId: string) => draftPreview(texts.value, conversationId),
    /** Returns functions that end it. */
    listen(client: ParleyClient): (() => void)[] {
      for (const { content, version, ...of } of readUnsaved(userId)) {
        const key = draftKey(of.conversationId, of.mode);
        const known = texts.value.get(key);
        const unsaved = { ...of, content, saved: "", version, other: null };
        if (known === undefined) put(unsaved);
        else if (known.version === version) put({ ...unsaved, saved: known.saved });
        else put(received(unsaved, { ...of, ...known, content: known.saved, updatedAt: "" }));
      }
      document.addEventListener("visibilitychange", onHide);
      globalThis.addEventListener("pagehide", onLeave);
      return [
        client.on("identity", () => void reload()),
        client.on("draft", ({ draft }) => receive(draft)),
        () => {
          document.removeEventListener("visibilitychange", onHide);
          globalThis.removeEventListener("pagehide", onLeave);
          for (const key of [...timers.keys()]) unplan(key);
        },
      ];
    },
  };
}
