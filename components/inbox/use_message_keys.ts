import { useEffect, useRef } from "preact/hooks";
import { shortcutKey } from "../shell/keys.ts";
import { replyTo } from "./compose.ts";
import { useInbox } from "./context.ts";
import type { ThreadLine } from "./thread_rows.ts";

/** Pixels above a message from which on its menu opens upwards. */
const MENU_ROOM = 320;

/**
 * For the list of messages: which one is active, by the pointer and by the focus. Arrows move between
 * messages, Enter opens the menu of one.
 */
export function useMessageKeys(
  lines: readonly ThreadLine[],
  reveal: (key: string, place: "nearest") => void,
) {
  const inbox = useInbox();
  const { activeMessage, messages, thread } = inbox;
  /** Where the pointer last moved to, over the list or anything else. */
  const pointer = useRef("");
  const placeOf = ({ screenX, screenY }: PointerEvent) => `${screenX} ${screenY}`;
  useEffect(() => {
    const note = (event: PointerEvent) => void (pointer.current = placeOf(event));
    document.addEventListener("pointermove", note);
    return () => document.removeEventListener("pointermove", note);
  }, []);
  const lineOf = (target: EventTarget | null) =>
    (target as Element | null)?.closest<HTMLElement>(".bubble-line") ?? null;

  /** The line may have to be drawn first. */
  function focus(list: HTMLElement, key: string) {
    const find = () => list.querySelector<HTMLElement>(`[data-key="${CSS.escape(key)}"]`);
    const line = find();
    if (line !== null) return line.focus();
    reveal(key, "nearest");
    requestAnimationFrame(() => find()?.focus({ preventScroll: true }));
  }

  function onPointerOver(event: PointerEvent) {
    // The list may move under a pointer that rests, while keys go from message to message.
    if (placeOf(event) !== pointer.current) activate(event);
  }

  function activate({ target }: Event) {
    const line = lineOf(target);
    const key = line?.dataset.key;
    if (line === null || key === undefined || activeMessage.value?.key === key) return;
    // A menu that is open keeps its message.
    if (document.querySelector('.message-menu [aria-expanded="true"]') !== null) return;
    const side = line.getBoundingClientRect().top > MENU_ROOM ? "top" : "bottom";
    activeMessage.value = { key, side };
  }

  const messageOf = ({ dataset }: HTMLElement) =>
    thread.snapshot.value.items.find(({ message }) => message?.id === dataset.message)?.message;

  function onKeyDown(event: KeyboardEvent) {
    const line = lineOf(event.target);
    if (line === null || line !== event.target) return;
    const all = lines.filter(({ kind }) => kind === "bubble");
    const at = all.findIndex(({ key }) => key === line.dataset.key);
    const single = shortcutKey(event);
    const to = {
      ArrowUp: all[at - 1],
      ArrowDown: all[at + 1],
      Home: all[0],
      End: all.at(-1),
    }[event.key];
    if (to !== undefined) focus(line.parentElement!, to.key);
    else if (event.key === "Delete") {
      const message = messageOf(line);
      if (message && messages.mayWithdraw(message)) messages.withdrawing.value = message;
    } else if (single === "q" || single === "+") {
      const message = messageOf(line);
      if (!message || !messages.mayReply(message)) return;
      if (single === "q") replyTo(inbox, message);
      else messages.reacting.value = message;
    } else if (event.key === "Enter") {
      activate(event);
      // After it is rendered.
      requestAnimationFrame(() => {
        line.querySelector<HTMLElement>(".message-menu [aria-haspopup]")?.click();
      });
    } else return;
    event.preventDefault();
  }
  return { onPointerOver, onFocusIn: activate, onKeyDown };
}
