import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { CornerDownLeft, Lock, SendHorizontal } from "lucide-preact";
import { MAX_CONTENT } from "../lib/limits.ts";
import { titleOf } from "../lib/words.ts";
import { readDraft, writeDraft } from "../live/drafts.ts";
import { Button } from "../ui/Button.tsx";
import { useInbox } from "./context.ts";
import { useMentions } from "./Mentions.tsx";

/** From here on the counter says how much is left. */
const COUNT_FROM = MAX_CONTENT - 1_000;

export function Composer({ id }: { id: string }) {
  const inbox = useInbox();
  const box = useRef<HTMLTextAreaElement>(null);
  const [text, setText] = useState("");
  const [isPrivate, setPrivate] = useState(false);
  const store = () => inbox.thread.store();
  const { selected } = inbox;
  const contact = selected.value === null ? "the contact" : titleOf(selected.value);

  // Not at the first drawing: the server, which drew it too, knows no drafts.
  useEffect(() => {
    const draft = readDraft(id);
    setText(draft.text);
    setPrivate(draft.isPrivate);
    if (!inbox.phone.value && !inListOrMenu()) box.current?.focus({ preventScroll: true });
    return () => store()?.typing(false);
  }, [id]);
  useLayoutEffect(() => grow(box.current), [text]);

  const change = (next: string) => {
    setText(next);
    writeDraft(id, { text: next, isPrivate });
    // Notes are no business of the visitor, not even that one is being written.
    if (!isPrivate) store()?.typing(next.trim() !== "");
  };
  const choose = (next: boolean) => {
    setPrivate(next);
    writeDraft(id, { text, isPrivate: next });
    if (next) store()?.typing(false);
    box.current?.focus();
  };
  const mentions = useMentions(box, isPrivate, change);
  const left = MAX_CONTENT - text.length;
  const reason = text.trim() === ""
    ? "Write something first"
    : left < 0
    ? "The message is too long"
    : null;
  const send = () => {
    if (reason !== null) return;
    // What goes wrong is shown at the message itself, with Retry and Discard.
    store()?.send(text, { isPrivate }).catch(() => {});
    setText("");
    writeDraft(id, { text: "", isPrivate });
    box.current?.focus();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    // While an input method composes, Enter chooses a word. Safari says it with key code 229 only.
    if (event.isComposing || event.keyCode === 229) return;
    if (mentions.onKeyDown(event)) return;
    if (event.key === "Enter" && !event.shiftKey) {
      event.preventDefault();
      send();
    } else if (event.key === "Escape") box.current?.blur();
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
        </div>
        <textarea
          ref={box}
          id="composer"
          rows={1}
          value={text}
          aria-label={isPrivate ? "Note that only your team sees" : `Reply to ${contact}`}
          aria-describedby={left < 1_000 ? "composer-left" : undefined}
          aria-invalid={left < 0 ? "true" : undefined}
          placeholder={isPrivate ? "Write a note that only your team sees" : `Reply to ${contact}`}
          enterkeyhint="send"
          {...mentions.aria}
          onInput={(event) => {
            change(event.currentTarget.value);
            mentions.look();
          }}
          onSelect={mentions.look}
          onKeyDown={onKeyDown}
          onBlur={() => {
            mentions.close();
            store()?.typing(false);
          }}
        />
        <div class="composer-foot">
          <span class="composer-hint">
            <Return /> to {isPrivate ? "save" : "send"},
            <kbd class="kbd">Shift</kbd>
            <Return /> for a new line
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
            {isPrivate ? "Add note" : "Send"}
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

/** The text area is as high as its text; the style sheet sets the bounds. */
function grow(box: HTMLTextAreaElement | null) {
  if (box === null || CSS.supports("field-sizing", "content")) return;
  box.style.blockSize = "auto";
  box.style.blockSize = `${box.scrollHeight}px`;
}
