import { type RefObject } from "preact";
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import type { Chat } from "./chat.ts";
import { ClipIcon, MicIcon, SendIcon } from "./icons.tsx";
import { isVisible } from "../../protocol/visible_text.ts";

/** Height in pixels above which the field scrolls. */
const MAX_HEIGHT = 160;

interface Props {
  chat: Chat;
  field: RefObject<HTMLTextAreaElement>;
  placeholder: string;
  /** The unsent text survives a page load. */
  draft: { read(): string; write(text: string): void };
}

/** The field for a message: Enter sends, Shift+Enter starts a new line. */
export function Composer({ chat, field, placeholder, draft }: Props) {
  const [text, setText] = useState(draft.read);
  const excess = text.length - chat.maxLength();
  const { files } = chat;
  const input = useRef<HTMLInputElement>(null);
  const bar = useRef<HTMLDivElement>(null);
  const isPossible = files.isPossible();
  const sendable = (isVisible(text) || files.count() > 0) && files.isReady() && excess <= 0;

  // The chunk of files draws it.
  useLayoutEffect(() => {
    const drawn = files.bar();
    if (drawn !== null && drawn.parentNode !== bar.current) bar.current?.append(drawn);
  });
  function take(event: Event, data: DataTransfer | null) {
    if (!isPossible || !data?.files.length) return;
    // Office programs add a picture of the text.
    if (data.types.includes("text/html") && data.types.includes("text/plain")) return;
    event.preventDefault();
    void files.add(data.files);
  }

  useLayoutEffect(() => {
    const element = field.current!;
    element.style.height = "auto";
    element.style.height = `${Math.min(element.scrollHeight + 2, MAX_HEIGHT)}px`;
  }, [text]);

  function change(next: string) {
    setText(next);
    // At once, not after the next paint: the page may be left at any moment.
    draft.write(next);
    chat.typing(next.trim() !== "");
  }
  function send() {
    if (!sendable) return;
    chat.send(text.trim());
    setText("");
    draft.write("");
    field.current?.focus();
  }
  function key(event: KeyboardEvent) {
    if (event.key === "ArrowUp" && text === "") chat.actions.editLast();
    // During IME composition Enter selects a candidate (older Safari sends key code 229).
    if (event.key !== "Enter" || event.shiftKey || event.isComposing || event.keyCode === 229) {
      return;
    }
    event.preventDefault();
    send();
  }

  return (
    <form
      class="composer"
      onPaste={(event) => take(event, event.clipboardData)}
      onDragOver={(event) => isPossible && event.preventDefault()}
      onDrop={(event) => take(event, event.dataTransfer)}
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
    >
      {excess > 0 && (
        <p class="excess" id="excess" role="alert">
          {excess === 1 ? "1 character" : `${excess} characters`} too long
        </p>
      )}
      <div class="extras" ref={bar} />
      <div class="field">
        {isPossible && (
          <>
            <input
              ref={input}
              type="file"
              multiple
              hidden
              onChange={(event) => {
                void files.add([...event.currentTarget.files!]);
                event.currentTarget.value = "";
              }}
            />
            <button
              type="button"
              class="tool"
              aria-label="Attach files"
              onClick={() => input.current!.click()}
            >
              <ClipIcon />
            </button>
          </>
        )}
        <textarea
          ref={field}
          rows={1}
          dir="auto"
          value={text}
          placeholder={placeholder || "Write a message…"}
          aria-label="Message"
          aria-invalid={excess > 0}
          aria-describedby={excess > 0 ? "excess" : undefined}
          enterkeyhint="send"
          onInput={(event) => change(event.currentTarget.value)}
          onKeyDown={key}
          onBlur={() => chat.typing(false)}
        />
        {isPossible && text === "" && "MediaRecorder" in globalThis && (
          <button
            type="button"
            class="tool"
            aria-label="Record a voice message"
            onClick={() => void files.record()}
          >
            <MicIcon />
          </button>
        )}
        <button type="submit" class="send" aria-label="Send" aria-disabled={!sendable}>
          <SendIcon />
        </button>
      </div>
    </form>
  );
}
