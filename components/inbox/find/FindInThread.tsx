import "../../styles/find.css";
import { useEffect, useRef, useState } from "preact/hooks";
import { ChevronDown, ChevronUp, X } from "lucide-preact";
import type { FoundMessage, SearchResponse } from "../../../protocol/search.ts";
import { errorText } from "../../live/api.ts";
import { MAX_QUERY } from "../../live/limits.ts";
import { IconButton } from "../../ui/Button.tsx";
import { useInbox } from "../context.ts";

/** Milliseconds without a key after which a query is sent. */
const PAUSE_MS = 200;
const LIMIT = 50;

interface Answer {
  of: string;
  items: FoundMessage[];
  nextCursor: string | null;
  error: string | null;
}

const NOTHING: Answer = { of: "", items: [], nextCursor: null, error: null };

/** Finds messages in one conversation, also those that are not loaded, and goes from each to the next. */
export function FindInThread({ id }: { id: string }) {
  const inbox = useInbox();
  const box = useRef<HTMLInputElement>(null);
  const before = useRef<Element | null>(null);
  const [query, setQuery] = useState("");
  const [answer, setAnswer] = useState(NOTHING);
  const [at, setAt] = useState(0);
  const { items, nextCursor } = answer;

  useEffect(() => {
    before.current = document.activeElement;
    box.current?.focus();
  }, []);

  async function ask(q: string, cursor: string | null, signal: AbortSignal): Promise<void> {
    const more: Record<string, string> = cursor === null ? {} : { cursor };
    const params = { q, kind: "messages", conversation: id, limit: String(LIMIT), ...more };
    try {
      const path = `/api/search?${new URLSearchParams(params)}`;
      const { messages } = await inbox.request<SearchResponse>(path, { signal });
      const found = [...(cursor === null ? [] : items), ...messages!.items];
      setAnswer({ of: q, items: found, nextCursor: messages!.nextCursor, error: null });
      show(found, cursor === null ? 0 : items.length);
    } catch (error) {
      if (!signal.aborted) setAnswer({ ...NOTHING, of: q, error: errorText(error) });
    }
  }

  useEffect(() => {
    const q = query.trim();
    if (q === "") return setAnswer(NOTHING);
    const running = new AbortController();
    const timer = setTimeout(() => void ask(q, null, running.signal), PAUSE_MS);
    return () => {
      clearTimeout(timer);
      running.abort();
    };
  }, [query]);

  function show(found: readonly FoundMessage[], index: number) {
    setAt(index);
    const message = found[index];
    if (message === undefined) return;
    const { id: messageId, seq } = message;
    inbox.target.value = { conversationId: id, messageId, seq, keepsFocus: true };
  }

  /** To the next older (1) or newer (-1) one; after the last one from the beginning. */
  function move(step: 1 | -1) {
    if (items.length === 0) return;
    const next = at + step;
    if (next === items.length && nextCursor !== null) {
      return void ask(answer.of, nextCursor, new AbortController().signal);
    }
    show(items, (next + items.length) % items.length);
  }

  /** The focus goes to what was found, or back to where it was. */
  function close() {
    const found = items[at];
    inbox.finding.value = false;
    if (found !== undefined) {
      inbox.target.value = { conversationId: id, messageId: found.id, seq: found.seq };
    } else (before.current as HTMLElement | null)?.focus();
  }

  function onKeyDown(event: KeyboardEvent) {
    if (event.isComposing) return;
    if (event.key === "Escape") close();
    else if (event.key === "Enter") move(event.shiftKey ? -1 : 1);
    else if (event.key === "ArrowUp") move(1);
    else if (event.key === "ArrowDown") move(-1);
    else return;
    event.preventDefault();
  }

  const count = nextCursor === null ? String(items.length) : `${items.length}+`;
  const words = answer.error ??
    (answer.of === "" ? "" : items.length === 0 ? "Nothing found" : `${at + 1} of ${count}`);
  return (
    <div class="find-bar" role="search" aria-label="In this conversation">
      <input
        ref={box}
        type="text"
        inputMode="search"
        dir="auto"
        aria-label="Find in this conversation"
        placeholder="Find in this conversation"
        autocomplete="off"
        autocapitalize="off"
        spellcheck={false}
        maxLength={MAX_QUERY}
        value={query}
        onInput={(event) => setQuery(event.currentTarget.value)}
        onKeyDown={onKeyDown}
      />
      <span class="find-count" role="status">{words}</span>
      <IconButton label="Older match" size="s" onClick={() => move(1)}>
        <ChevronUp size={16} />
      </IconButton>
      <IconButton label="Newer match" size="s" onClick={() => move(-1)}>
        <ChevronDown size={16} />
      </IconButton>
      <IconButton label="Close" size="s" tipAt="start" onClick={close}>
        <X size={16} />
      </IconButton>
    </div>
  );
}
