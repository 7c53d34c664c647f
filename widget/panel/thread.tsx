import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import type { ThreadItem } from "../../client/mod.ts";
import type { Chat, ChatState } from "./chat.ts";
import { type Formats, sameDay } from "./format.ts";
import { ChatIcon, DownIcon } from "./icons.tsx";
import { MessageLine } from "./message.tsx";
import { isolate } from "../../protocol/visible_text.ts";

/** Pixels from the end within which the reader follows the conversation. */
const NEAR_END = 80;
/** Pixels from the top at which older messages are loaded. */
const NEAR_TOP = 120;
/** Milliseconds after loading history until screen readers announce additions again. */
const QUIET_MS = 500;
/** Milliseconds within which one person's messages form a group. */
const TOGETHER_MS = 5 * 60_000;

interface Props {
  chat: Chat;
  state: ChatState;
  greeting: string;
  formats: Formats;
  open: boolean;
}

const timeOf = (item: ThreadItem) => (item.message ?? item.pending)!.createdAt;
const whoOf = (item: ThreadItem) =>
  item.message === null || item.message.sender.role === "visitor"
    ? "visitor"
    : item.message.sender.userId;

function together(a: ThreadItem | undefined, b: ThreadItem | undefined): boolean {
  if (!a || !b || whoOf(a) !== whoOf(b) || !sameDay(timeOf(a), timeOf(b))) return false;
  return Math.abs(Date.parse(timeOf(b)) - Date.parse(timeOf(a))) < TOGETHER_MS;
}

function Skeleton() {
  return (
    <div class="skeleton" role="status">
      <span class="sr">Loading messages</span>
      <i />
      <i />
      <i />
    </div>
  );
}

/** The messages, newest at the end. The view stays at the end unless the reader scrolls. */
export function Thread({ chat, state, greeting, formats, open }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const follows = useRef(true);
  /** The last width and height: a scroll event during a resize is not the reader's. */
  const size = useRef("");
  /** Height and position before older messages were added. */
  const before = useRef({ first: "", height: 0, top: 0 });
  const [away, setAway] = useState(false);
  const [live, setLive] = useState(false);
  const { thread, items, connection } = state;
  const first = items[0]?.key ?? "";
  const last = items.at(-1);
  const newest = items.findLast(({ message }) => message && !message.deletedAt);
  const typing = thread?.typing ?? [];

  function toEnd() {
    const element = box.current;
    if (element) element.scrollTop = element.scrollHeight;
  }
  function scrolled() {
    const { scrollTop, scrollHeight, clientHeight, clientWidth } = box.current!;
    const before = size.current;
    size.current = `${clientWidth} ${clientHeight}`;
    if (before !== size.current && follows.current) return toEnd();
    follows.current = scrollHeight - scrollTop - clientHeight < NEAR_END;
    setAway(!follows.current);
    if (scrollTop < NEAR_TOP && thread?.hasOlder) chat.loadOlder();
    look();
  }
  /** Arrows move between the buttons of messages. */
  function move(event: KeyboardEvent) {
    const all = [...box.current!.querySelectorAll<HTMLElement>(".more")];
    const at = all.indexOf(event.target as HTMLElement);
    const step = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    if (at < 0 || !step) return;
    event.preventDefault();
    all[at + step]?.focus();
  }
  function look() {
    if (open && follows.current && document.visibilityState === "visible") chat.seen();
  }

  useLayoutEffect(() => {
    const element = box.current!;
    const was = before.current;
    if (was.first !== "" && was.first !== first && !follows.current) {
      // Older messages were added in front: keep the reader's position.
      element.scrollTop = was.top + element.scrollHeight - was.height;
    } else if (follows.current) toEnd();
    before.current = { first, height: element.scrollHeight, top: element.scrollTop };
    look();
  });
  // An own message is always scrolled into view.
  useLayoutEffect(() => {
    if (last?.pending) {
      follows.current = true;
      toEnd();
    }
  }, [last?.key]);
  useEffect(() => {
    const element = box.current!;
    // A phone's keyboard, a growing composer, a rotated screen.
    const watcher = new ResizeObserver(() => follows.current && toEnd());
    watcher.observe(element);
    document.addEventListener("visibilitychange", look);
    return () => {
      watcher.disconnect();
      document.removeEventListener("visibilitychange", look);
    };
  }, [open]);

  const loading = thread?.status === "loading" && items.length === 0;
  const settled = open && !loading && thread?.status !== "loading" && !thread?.loadingOlder;
  // Screen readers announce new messages with their authors, but not history.
  useEffect(() => {
    if (!settled) return setLive(false);
    const timer = setTimeout(() => setLive(true), QUIET_MS);
    return () => clearTimeout(timer);
  }, [settled]);

  return (
    <div class="thread">
      <div
        class="log"
        ref={box}
        role="log"
        aria-label="Messages"
        aria-live={live && settled ? "polite" : "off"}
        aria-relevant="additions"
        aria-busy={loading || thread?.loadingOlder}
        tabIndex={0}
        onScroll={scrolled}
        onKeyDown={move}
      >
        {thread?.hasOlder
          ? (
            <button
              type="button"
              class="older"
              disabled={thread.loadingOlder}
              onClick={() => chat.loadOlder()}
            >
              {thread.loadingOlder ? "Loading…" : "Earlier messages"}
            </button>
          )
          : (
            <div class="greeting">
              <span class="avatar">
                <ChatIcon />
              </span>
              <p dir="auto">{greeting || "Hello! How can we help?"}</p>
            </div>
          )}
        {loading && <Skeleton />}
        {items.map((item, index) => {
          const previous = items[index - 1];
          if (item.message?.type === "activity") return null;
          const at = timeOf(item);
          return (
            <div key={item.key} class="entry">
              {(!previous || !sameDay(timeOf(previous), at)) && (
                <p class="day">
                  <span>{formats.day(at)}</span>
                </p>
              )}
              <MessageLine
                item={item}
                pointers={thread?.pointers}
                formats={formats}
                first={!together(previous, item)}
                last={!together(item, items[index + 1])}
                reached={item === newest}
                connected={connection === "connected"}
                chat={chat}
                onRetry={chat.retry}
                onDiscard={chat.discard}
              />
            </div>
          );
        })}
      </div>
      {typing.length > 0 && (
        <p class="typing">
          <span class="dots" aria-hidden="true">
            <i />
            <i />
            <i />
          </span>
          {typing.length === 1
            ? `${isolate(typing[0]!.userName)} is typing`
            : "Several people are typing"}
        </p>
      )}
      {away && (
        <button
          type="button"
          class="down"
          onClick={() => {
            follows.current = true;
            toEnd();
          }}
          aria-label={state.unread > 0 ? `To the ${state.unread} new messages` : "To the end"}
        >
          <DownIcon />
          {state.unread > 0 && <span>{state.unread} new</span>}
        </button>
      )}
    </div>
  );
}
