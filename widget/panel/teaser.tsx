import { useState } from "preact/hooks";
import type { Shell } from "../shell.ts";
import { openStorage } from "../storage.ts";
import type { ChatState } from "./chat.ts";
import { CloseIcon } from "./icons.tsx";

/** What the bot said while the chat was closed, beside the launcher, until it is opened or put away. */
export function Teaser({ state, shell, open }: { state: ChatState; shell: Shell; open: boolean }) {
  const storage = openStorage("sessionStorage");
  const key = `parley:${shell.widgetKey}:teaser`;
  const [away, setAway] = useState(() => storage.getItem(key));
  const last = state.items.at(-1)?.message;
  const shown = !open && state.unread > 0 && last?.sender.role === "bot" && last.id !== away;
  // The region is always there: what comes into it is read out.
  return (
    <div role="status" class={shown ? "teaser" : undefined}>
      {shown && (
        <>
          <button type="button" class="teaser-text" onClick={() => shell.launcher.click()}>
            {last.content}
          </button>
          <button
            type="button"
            class="teaser-close"
            aria-label="Put the message away"
            onClick={() => {
              setAway(last.id);
              try {
                storage.setItem(key, last.id);
              } catch {
                // A full storage: it then stays away as long as the page.
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
