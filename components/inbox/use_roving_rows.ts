import { useRef, useState } from "preact/hooks";
import type { Row } from "../live/list_state.ts";
import { useInbox } from "./context.ts";

/** The list is one tab stop: arrows, Home and End move inside it, and Enter opens, as in links. */
export function useRovingRows() {
  const inbox = useInbox();
  const ref = useRef<HTMLUListElement>(null);
  const [at, setAt] = useState<string | null>(null);

  function tabbable(rows: readonly Row[]): string | undefined {
    const has = (id: string | null) => rows.some((row) => row.conversation.id === id);
    if (has(at)) return at ?? undefined;
    const selected = inbox.selectedId.value;
    return has(selected) ? selected ?? undefined : rows[0]?.conversation.id;
  }

  function onKeyDown(event: KeyboardEvent) {
    if (event.metaKey || event.ctrlKey || event.altKey) return;
    const links = [...ref.current?.querySelectorAll<HTMLElement>("[data-row]") ?? []];
    const now = links.indexOf(document.activeElement as HTMLElement);
    const to = {
      ArrowDown: links[Math.min(now + 1, links.length - 1)],
      ArrowUp: links[Math.max(now - 1, 0)],
      Home: links[0],
      End: links.at(-1),
    }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    to.focus();
  }

  function onFocusIn(event: FocusEvent) {
    setAt((event.target as HTMLElement).dataset.row ?? null);
  }
  return { ref, tabbable, onKeyDown, onFocusIn };
}

/**
 * J and K: move the focus in the list, starting from the open conversation.
 *
 * @param neighbour of the open conversation, which may have moved
 */
export function moveInList(step: 1 | -1, neighbour: string | null) {
  const links = [...document.querySelectorAll<HTMLElement>(".rows [data-row]")];
  const focused = links.indexOf(document.activeElement as HTMLElement);
  const open = links.findIndex((link) => link.ariaCurrent === "true");
  const now = focused !== -1 ? focused : open;
  const beside = focused === -1 && neighbour !== null
    ? links.find((link) => link.dataset.row === neighbour)
    : undefined;
  const to = beside !== undefined
    ? beside
    : now === -1
    ? links[0]
    : links[Math.min(Math.max(now + step, 0), links.length - 1)];
  to?.focus();
  to?.scrollIntoView({ block: "nearest" });
}
