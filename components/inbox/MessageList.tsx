import { useEffect, useMemo, useRef } from "preact/hooks";
import { ArrowDown } from "lucide-preact";
import { dayTitle, timeOfDay } from "../format/time.ts";
import { namesOf } from "../format/names.ts";
import { firstUnread, threadLines } from "./thread_rows.ts";
import { errorText } from "../live/api.ts";
import { Button } from "../ui/Button.tsx";
import { Spinner } from "../ui/Spinner.tsx";
import { Time } from "../ui/Time.tsx";
import { useLoaded } from "../ui/use_loaded.ts";
import { TypingDots } from "../ui/TypingDots.tsx";
import { activityText } from "./activity_text.ts";
import { Bubble } from "./Bubble.tsx";
import { useInbox } from "./context.ts";
import { MessageDialogs } from "./MessageDialogs.tsx";
import { useMessageKeys } from "./use_message_keys.ts";
import { useFoundMessage } from "./use_found_message.ts";
import { useThreadScroll } from "./use_thread_scroll.ts";

export function MessageList() {
  const inbox = useInbox();
  const { items, pointers, hasOlder, loadingOlder, typing } = inbox.thread.snapshot.value;
  const clock = inbox.clock.value;
  const { user } = inbox;
  // As it was when the conversation was opened: new messages do not move it.
  const newFrom = useMemo(
    () => firstUnread(items, inbox.openedUnread.value, user.id),
    [],
  );
  const isAnswered = items.some(({ pending }) => pending !== null);
  const lines = useMemo(
    () =>
      threadLines(
        items,
        pointers,
        { id: user.id, name: user.name },
        clock,
        isAnswered ? null : newFrom,
      ),
    [items, pointers, clock, isAnswered],
  );
  const { ref, parts, onScroll, reveal, toEnd, fresh, isFar } = useThreadScroll(
    items,
    lines,
    user.id,
  );
  const lastLine = parts.findLast((part) => "line" in part && part.line.kind === "bubble");
  const keys = useMessageKeys(lines, reveal);
  useFoundMessage(inbox.thread.snapshot.value, reveal);
  const finding = inbox.finding.value;
  const find = useLoaded(finding, () => import("./find/FindInThread.tsx"));
  useEffect(() => () => void (inbox.finding.value = false), []);

  return (
    <div class="thread-body">
      {finding && find && <find.FindInThread id={inbox.selectedId.value!} />}
      <div
        class="thread-scroll"
        ref={ref}
        onScroll={onScroll}
        {...keys}
        tabIndex={0}
        role="region"
        aria-label="Messages"
      >
        <div class="thread-lines">
          {hasOlder && <Older busy={loadingOlder} />}
          {lines.length === 0 && (
            <p class="thread-start">
              No messages yet. What you write here starts the conversation.
            </p>
          )}
          {parts.map((part) => {
            if (!("line" in part)) {
              return <Space key={part.key} size={part.space} />;
            }
            const { line } = part;
            if (line.kind === "day") {
              return (
                <h3 class="thread-day" key={line.key} data-key={line.key}>
                  <time dateTime={line.iso}>{dayTitle(line.iso, clock)}</time>
                </h3>
              );
            }
            if (line.kind === "new") {
              return (
                <h3 class="thread-day thread-new" key={line.key} data-key={line.key}>
                  New messages
                </h3>
              );
            }
            if (line.kind === "activity") {
              return (
                <p class="thread-activity" key={line.key} data-key={line.key}>
                  <bdi dir="ltr">{activityText(line.text, clock)}</bdi>
                  <Time iso={line.message.createdAt} clock={clock} as={timeOfDay} />
                </p>
              );
            }
            return <Bubble key={line.key} line={line} clock={clock} isLast={part === lastLine} />;
          })}
          <Typing people={typing.filter(({ role }) => role !== "agent")} />
        </div>
      </div>
      <MessageDialogs />
      {(fresh > 0 || isFar) && (
        <button
          type="button"
          class="thread-fresh"
          data-quiet={fresh === 0 ? "" : undefined}
          onClick={toEnd}
        >
          <ArrowDown size={14} aria-hidden="true" />
          {fresh === 0 ? "Jump to latest" : fresh === 1 ? "1 new message" : `${fresh} new messages`}
        </button>
      )}
    </div>
  );
}

/** In place of lines that are not drawn. The page policy allows no style in the HTML itself. */
function Space({ size }: { size: number }) {
  const set = (space: HTMLElement | null) => {
    if (space !== null) space.style.height = `${size}px`;
  };
  return <div class="thread-space" ref={set} />;
}

/** Loads the previous page when its top is nearly visible. */
function Older({ busy }: { busy: boolean }) {
  const inbox = useInbox();
  const ref = useRef<HTMLDivElement>(null);
  const connected = inbox.connection.state.value === "connected";
  const load = () =>
    inbox.thread.store()?.loadOlder().catch((error) =>
      inbox.toasts.show({ tone: "bad", text: errorText(error) })
    );
  useEffect(() => {
    if (ref.current === null || busy || !connected) return;
    const observer = new IntersectionObserver(
      (entries) => entries.some((entry) => entry.isIntersecting) && load(),
      { root: ref.current.closest(".thread-scroll"), rootMargin: "1200px 0px 0px" },
    );
    observer.observe(ref.current);
    return () => observer.disconnect();
  }, [busy, connected]);
  return (
    <div class="thread-older" ref={ref} role="status">
      {busy
        ? (
          <>
            <Spinner />
            <span class="sr-only">Loading earlier messages</span>
          </>
        )
        : <Button size="s" kind="quiet" onClick={load}>Load earlier messages</Button>}
    </div>
  );
}

/** Colleagues who type are shown above the composer, see ComposerSigns. */
function Typing({ people }: { people: { userName: string }[] }) {
  const text = people.length === 0
    ? ""
    : `${namesOf(people)} ${people.length === 1 ? "is" : "are"} typing`;
  return (
    <div class="typing" role="status" data-shown={text ? "" : undefined}>
      {text && (
        <>
          <TypingDots />
          {text}
        </>
      )}
    </div>
  );
}
