import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { CornerDownLeft, Lock, SendHorizontal, UsersRound } from "lucide-preact";
import { MAX_CONTENT } from "../lib/limits.ts";
import { titleOf } from "../lib/words.ts";
import { readDraft, writeDraft } from "../live/drafts.ts";
import { Button } from "../ui/Button.tsx";
import { grow } from "../ui/grow.ts";
import { SharedArea } from "../writing/SharedArea.tsx";
import { Writers } from "../writing/Writers.tsx";
import { ComposerSigns } from "./ComposerSigns.tsx";
import { useInbox } from "./context.ts";
import { useMentions } from "./Mentions.tsx";
import { useOvertaken } from "./use_overtaken.ts";
import { useTaken } from "./use_taken.ts";

/** From here on the counter says how much is left. */
const COUNT_FROM = MAX_CONTENT - 1_000;

export function Composer({ id }: { id: string }) {
  const inbox = useInbox();
  const { draft } = inbox;
  const box = useRef<HTMLTextAreaElement>(null);
  const [own, setOwn] = useState("");
  const [isPrivate, setPrivate] = useState(false);
  const [changed, setChanged] = useState(false);
  /** A note was begun before this agent joined the others. */
  const wasNote = useRef(false);
  const store = () => inbox.thread.store();
  const { selected } = inbox;
  const contact = selected.value === null ? "the contact" : titleOf(selected.value);
  const shared = draft.joined.value && !isPrivate ? draft.shared.value : null;
  const text = shared === null ? own : shared.text.value;
  const overtaken = useOvertaken(shared === null && !isPrivate ? own : "");
  const keep = (next: { text?: string; isPrivate?: boolean; isShared?: boolean }) =>
    writeDraft(id, { text: own, isPrivate, isShared: draft.joined.value, ...next });

  // Not at the first drawing: the server, which drew it too, knows no drafts.
  useEffect(() => {
    const stored = readDraft(id);
    setOwn(stored.text);
    setPrivate(stored.isPrivate);
    if (!inbox.phone.value && !inListOrMenu()) box.current?.focus({ preventScroll: true });
    return () => store()?.typing(false);
  }, [id]);
  const isOpen = draft.shared.value !== null;
  useEffect(() => {
    if (isOpen && readDraft(id).isShared) draft.join();
  }, [id, isOpen]);
  // What is typed before the text is here would be lost.
  const canShare = isOpen && !["loading", "failed"].includes(draft.shared.value!.status.value);
  const taking = useTaken(id, (text) => {
    if (draft.joined.value && draft.join(text)) return;
    const all = [readDraft(id).text, text].filter(Boolean).join("\n");
    setOwn(all);
    keep({ text: all });
  });
  useLayoutEffect(() => grow(box.current), [text]);

  const change = (next: string) => {
    setOwn(next);
    keep({ text: next });
    // Notes are no business of the visitor, not even that one is being written.
    store()?.typing(next.trim() !== "", isPrivate);
  };
  const choose = (next: boolean) => {
    setPrivate(next);
    keep({ isPrivate: next });
    store()?.typing(false);
    box.current?.focus();
  };
  const together = () => {
    store()?.typing(false);
    // What is written alone goes along only into an empty draft; otherwise it waits.
    const taken = draft.join(isPrivate ? "" : own) ? "" : own;
    wasNote.current = isPrivate && own.trim() !== "";
    setOwn(taken);
    setPrivate(false);
    keep({ text: taken, isPrivate: false });
    requestAnimationFrame(() => box.current?.focus());
  };
  const alone = async () => {
    const isFree = own.trim() === "";
    const taken = await draft.leave(isFree);
    const next = { text: isFree ? taken : own, isPrivate: wasNote.current };
    wasNote.current = false;
    setOwn(next.text);
    setPrivate(next.isPrivate);
    keep({ ...next, isShared: false });
    requestAnimationFrame(() => box.current?.focus());
  };
  const mentions = useMentions(box, isPrivate, change);
  const left = MAX_CONTENT - text.length;
  const offline = shared !== null && shared.status.value !== "ready";
  const reason = text.trim() === ""
    ? "Write something first"
    : left < 0
    ? "The message is too long"
    : offline
    ? "What is written together can be sent when the connection is back"
    : null;
  const sendShared = async () => {
    const to = store();
    setChanged(false);
    taking.hold(text);
    try {
      const taken = await draft.take();
      if (taken.trim() === "") return;
      to?.send(taken).catch(() => {});
      // Another conversation may be open by now.
      if (store() === to && draft.writers.value.length === 0) await alone();
    } catch {
      // Somebody wrote, or sent it, in the same moment.
      setChanged(true);
    } finally {
      taking.free();
    }
  };
  const send = () => {
    if (reason !== null) return;
    if (shared !== null) return void sendShared();
    if (overtaken.stops()) return;
    // What goes wrong is shown at the message itself, with Retry and Discard.
    store()?.send(own, { isPrivate }).catch(() => {});
    setOwn("");
    keep({ text: "" });
    box.current?.focus();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    // While an input method composes, Enter chooses a word. Safari says it with key code 229 only.
    if (event.isComposing || event.keyCode === 229) return;
    if (mentions.onKeyDown(event)) return;
    const sends = shared === null ? !event.shiftKey : event.ctrlKey || event.metaKey;
    if (event.key === "Enter" && sends) {
      event.preventDefault();
      send();
    } else if (event.key === "Escape") box.current?.blur();
  };
  const area = {
    id: "composer",
    rows: 1,
    "aria-label": isPrivate ? "Note that only your team sees" : `Reply to ${contact}`,
    "aria-describedby": left < 1_000 ? "composer-left" : undefined,
    "aria-invalid": left < 0 ? "true" as const : undefined,
    onKeyDown,
  };

  return (
    <form
      class="composer"
      data-note={isPrivate ? "" : undefined}
      aria-label={isPrivate ? "Private note" : "Reply"}
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
    >
      <ComposerSigns
        sharing={shared !== null}
        changed={changed}
        overtakenBy={overtaken.by}
        onJoin={together}
      />
      {mentions.list}
      <div class="composer-box">
        <div class="composer-modes" role="group" aria-label="Kind of message">
          <button
            type="button"
            aria-pressed={isPrivate ? "false" : "true"}
            aria-keyshortcuts="R"
            onClick={() => choose(false)}
          >
            Reply
          </button>
          <button
            type="button"
            aria-pressed={isPrivate ? "true" : "false"}
            aria-keyshortcuts="N"
            onClick={() => choose(true)}
          >
            <Lock size={12} aria-hidden="true" /> Note
          </button>
          {!isPrivate && (
            <>
              {shared !== null && <Writers people={draft.writers.value} />}
              <button
                type="button"
                class="composer-together"
                aria-pressed={shared !== null ? "true" : "false"}
                aria-disabled={canShare ? undefined : "true"}
                title="Colleagues who have this conversation open can write the reply with you"
                onClick={() => {
                  if (shared !== null) void alone();
                  else if (canShare) together();
                }}
              >
                <UsersRound size={12} aria-hidden="true" /> Write together
              </button>
            </>
          )}
        </div>
        {shared !== null
          ? (
            <SharedArea
              {...area}
              key="shared"
              shared={shared}
              areaRef={box}
              placeholder={`Reply to ${contact}, together`}
              onInput={(event) => {
                setChanged(false);
                store()?.typing(event.currentTarget.value.trim() !== "");
              }}
              onBlur={() => store()?.typing(false)}
            />
          )
          : (
            <textarea
              {...area}
              key="own"
              ref={box}
              value={own}
              placeholder={isPrivate
                ? "Write a note that only your team sees"
                : `Reply to ${contact}`}
              enterkeyhint="send"
              {...mentions.aria}
              onInput={(event) => {
                change(event.currentTarget.value);
                mentions.look();
              }}
              onSelect={mentions.look}
              onBlur={() => {
                mentions.close();
                store()?.typing(false);
              }}
            />
          )}
        <div class="composer-foot">
          <span class="composer-hint">
            {shared === null
              ? (
                <>
                  <Return /> to {isPrivate ? "save" : "send"},
                  <kbd class="kbd">Shift</kbd>
                  <Return /> for a new line
                </>
              )
              : (
                <>
                  <kbd class="kbd">Ctrl</kbd>
                  <Return /> to send,
                  <Return /> for a new line
                </>
              )}
          </span>
          {text.length >= COUNT_FROM && (
            <span class="composer-left" id="composer-left" data-over={left < 0 ? "" : undefined}>
              {left < 0 ? `${-left} characters too many` : `${left} characters left`}
            </span>
          )}
          <Button
            type="submit"
            kind="primary"
            size="s"
            unavailable={reason !== null}
            title={reason ?? undefined}
            icon={isPrivate ? undefined : <SendHorizontal size={14} aria-hidden="true" />}
          >
            {isPrivate ? "Add note" : overtaken.asks ? "Send anyway" : "Send"}
          </Button>
        </div>
      </div>
    </form>
  );
}

function Return() {
  return (
    <kbd class="kbd">
      <CornerDownLeft size={11} aria-hidden="true" />
      <span class="sr-only">Enter</span>
    </kbd>
  );
}

/** Whoever moves through the list by keyboard stays there when a conversation opens beside it. */
function inListOrMenu(): boolean {
  return document.activeElement?.closest(".rows, [role=menu], dialog") != null;
}
