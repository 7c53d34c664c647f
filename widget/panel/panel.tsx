import type { RefObject } from "preact";
import { useEffect, useMemo, useReducer } from "preact/hooks";
import type { Shell } from "../shell.ts";
import type { Chat, ChatState } from "./chat.ts";
import { Composer } from "./composer.tsx";
import { createFormats, initials, teamStatus } from "./format.ts";
import { CloseIcon } from "./icons.tsx";
import { Rating } from "./rating.tsx";
import { Teaser } from "./teaser.tsx";
import { Thread } from "./thread.tsx";

interface Props {
  chat: Chat;
  shell: Shell;
  open: boolean;
  /** Covers the whole page, as on a phone: nothing else of it can be reached. */
  modal: boolean;
  dialog: RefObject<HTMLDivElement>;
  field: RefObject<HTMLTextAreaElement>;
  draft: { read(): string; write(text: string): void };
}

function Header({ state, shell }: { state: ChatState; shell: Shell }) {
  const { agents, connection } = state;
  const known = connection === "connected";
  const online = agents.filter((agent) => agent.status === "online").slice(0, 3);
  return (
    <div class="head">
      {known && online.length > 0 && (
        <span class="faces" aria-hidden="true">
          {online.map((agent) => (
            <span key={agent.userId} class="avatar">{initials(agent.userName)}</span>
          ))}
        </span>
      )}
      <div class="who">
        <h2 dir="auto">{shell.appearance.title}</h2>
        <p>
          <i class={known && online.length > 0 ? "dot online" : "dot"} />
          {known
            ? teamStatus(agents)
            : connection === "connecting"
            ? "Connecting…"
            : "Not connected"}
        </p>
      </div>
      <button type="button" class="close" aria-label="Close chat" onClick={() => shell.close()}>
        <CloseIcon />
      </button>
    </div>
  );
}

/** A problem that keeps the visitor from chatting, if there is one. */
function Notice({ chat, state }: { chat: Chat; state: ChatState }) {
  const { connection, problem, canRetry } = state;
  const waiting = state.items.some((item) => item.pending?.state === "sending");
  let text: string | null = null;
  if (problem !== null) text = problem;
  else if (connection === "offline") {
    text = "You are offline. " +
      (waiting ? "Your messages are sent when you are back." : "You can still write.");
  } else if (connection === "reconnecting") text = "Reconnecting…";
  // The region always exists: screen readers announce its new content, but not a new region.
  return (
    <div class={text === null ? undefined : "notice"} role="status">
      {text !== null && <span>{text}</span>}
      {canRetry && <button type="button" onClick={() => chat.tryAgain()}>Try again</button>}
    </div>
  );
}

export function PanelView({ chat, shell, open, modal, dialog, field, draft }: Props) {
  const [, redraw] = useReducer((count: number) => count + 1, 0);
  useEffect(() => chat.subscribe(() => redraw(0)), []);
  const formats = useMemo(() => createFormats(shell.locale), []);
  const { state } = chat;

  function key(event: KeyboardEvent) {
    // Keys in the chat must not trigger the site's shortcuts.
    event.stopPropagation();
    if (event.key === "Escape" && !event.isComposing) return shell.close();
    if (event.key !== "Tab" || !modal) return;
    const all = dialog.current!.querySelectorAll<HTMLElement>(
      "button:not(:disabled),a,input,textarea,[tabindex='0']",
    );
    const [first, last] = [all[0], all[all.length - 1]];
    const { activeElement } = shell.root;
    const leaving = event.shiftKey
      ? activeElement === first || activeElement === dialog.current
      : activeElement === last;
    if (!leaving) return;
    event.preventDefault();
    (event.shiftKey ? last : first)?.focus();
  }

  return (
    <>
      <div
        class="panel"
        ref={dialog}
        role="dialog"
        aria-label={shell.appearance.title}
        aria-modal={modal || undefined}
        tabIndex={-1}
        hidden={!open}
        onKeyDown={key}
      >
        <Header state={state} shell={shell} />
        <Notice chat={chat} state={state} />
        <Thread
          chat={chat}
          state={state}
          greeting={shell.appearance.greeting}
          formats={formats}
          open={open}
        />
        <Rating chat={chat} state={state} />
        <Composer
          chat={chat}
          field={field}
          placeholder={shell.appearance.placeholder}
          draft={draft}
        />
      </div>
      <Teaser state={state} shell={shell} open={open} />
    </>
  );
}
