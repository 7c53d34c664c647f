import "../../styles/message_actions.css";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { MAX_CONTENT } from "../../live/limits.ts";
import type { Editing } from "../../live/message_actions.ts";
import { errorText } from "../../live/api.ts";
import { autosize } from "../../ui/autosize.ts";
import { Button } from "../../ui/Button.tsx";
import { isVisible } from "../../../protocol/visible_text.ts";
import { useInbox } from "../context.ts";
import { markSelection } from "../mark_selection.ts";

/** The text of a message, in its place. */
export function EditMessage({ editing }: { editing: Editing }) {
  const { messages } = useInbox();
  const { message, text, from } = editing;
  const box = useRef<HTMLTextAreaElement>(null);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<string | null>(null);
  const excess = text.length - MAX_CONTENT;

  useEffect(() => {
    const area = box.current!;
    area.focus();
    area.setSelectionRange(area.value.length, area.value.length);
    area.scrollIntoView({ block: "nearest" });
  }, []);
  useLayoutEffect(() => autosize(box.current), [text]);

  function close() {
    messages.editing.value = null;
    const line = box.current?.closest<HTMLElement>(".bubble-line");
    (from?.isConnected && from.id === "composer" ? from : line)?.focus();
  }
  async function save() {
    if (busy || !isVisible(text) || excess > 0) return;
    if (text === message.content) return close();
    setBusy(true);
    setError(null);
    try {
      await messages.save(message, text);
      close();
    } catch (cause) {
      setError(errorText(cause));
      setBusy(false);
      box.current?.focus();
    }
  }
  function onKeyDown(event: KeyboardEvent) {
    if (event.isComposing || event.keyCode === 229 || markSelection(event)) return;
    // Arrows and keys of the list do not act while somebody writes.
    event.stopPropagation();
    if (event.key === "Escape") close();
    else if (event.key === "Enter" && !event.shiftKey) void save();
    else return;
    event.preventDefault();
  }
  return (
    <form
      class="edit-message"
      onSubmit={(event) => {
        event.preventDefault();
        void save();
      }}
    >
      <textarea
        ref={box}
        rows={1}
        dir="auto"
        value={text}
        aria-label="Edit the message"
        aria-describedby="edit-note"
        aria-invalid={excess > 0 || error ? "true" : undefined}
        onInput={(event) =>
          messages.editing.value = { ...editing, text: event.currentTarget.value }}
        onKeyDown={onKeyDown}
      />
      <p id="edit-note" data-bad={excess > 0 || error ? "" : undefined} aria-live="polite">
        {excess > 0 ? `${excess} characters too long` : error ?? "Enter saves, Esc cancels"}
      </p>
      <Button size="s" kind="quiet" onClick={close}>Cancel</Button>
      <Button size="s" kind="primary" type="submit" busy={busy} unavailable={!isVisible(text)}>
        Save
      </Button>
    </form>
  );
}
