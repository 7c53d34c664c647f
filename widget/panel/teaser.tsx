import { useState } from "preact/hooks";
import type { Shell } from "../shell.ts";
import { openStorage } from "../storage.ts";
import type { ChatState } from "./chat.ts";
import { CloseIcon } from "./icons.tsx";

/**
 * The bot's message beside the launcher while the chat is closed, until it is opened or dismissed.
 */
export function Teaser({ state, shell, open }: { state: ChatState; shell: Shell; open: boolean }) {
  const storage = openStorage("sessionStorage");
  const key = `parley:${shell.widgetKey}:teaser`;
  const [away, setAway] = useState(() => storage.getItem(key));
  const last = state.items.at(-1)?.message;
  const shown = !open && state.unread > 0 && last?.sender.role === "bot" && last.id !== away;
  // The region always exists: screen readers announce its new content.
  return (
    <div role="status" class={shown ? "teaser" : undefined}>
      {shown && (
        <>
          <button
            type="button"
            class="teaser-text"
            dir="auto"
            onClick={() => shell.launcher.click()}
          >
            {last.content}
          </button>
          <button
            type="button"
            class="teaser-close"
            aria-label="Dismiss the message"
            onClick={() => {
              setAway(last.id);
              try {
                storage.setItem(key, last.id);
              } catch {
                // The storage is full: it stays dismissed as long as the page.
              }
            }}
          >
            <CloseIcon />
          </button>
        </>
      )}
    </div>
  );
}
