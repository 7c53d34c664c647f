import { useEffect } from "preact/hooks";
import type { InboxModel } from "../live/inbox_model.ts";
import { press, shortcutKey } from "../shell/keys.ts";
import { focusSearch } from "./SearchBox.tsx";
import { moveInList } from "./use_roving_rows.ts";

/**
 * The keys of the inbox that are more than pressing a control with `aria-keyshortcuts`, which
 * shell/use_page_keys.ts does.
 */
export function useShortcuts(inbox: InboxModel) {
  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent) => {
      if (finds(event, inbox)) return event.preventDefault();
      const key = shortcutKey(event);
      const action = key === null ? undefined : actions(inbox)[key];
      if (action === undefined) return;
      event.preventDefault();
      action();
    };
    document.addEventListener("keydown", onKeyDown);
    return () => document.removeEventListener("keydown", onKeyDown);
  }, [inbox]);
}

/** The browser finds only what is drawn. Pressed again, its own search opens. */
function finds(event: KeyboardEvent, inbox: InboxModel): boolean {
  if (!(event.ctrlKey || event.metaKey) || event.altKey || event.key.toLowerCase() !== "f") {
    return false;
  }
  if (inbox.selectedId.value === null || inbox.finding.value) return false;
  if (document.querySelector("dialog[open]") !== null) return false;
  return inbox.finding.value = true;
}

function actions(inbox: InboxModel): Record<string, (() => void) | undefined> {
  const conversation = inbox.selected.value;
  const { bulk } = inbox;
  const some = bulk.selected.value.length > 0;
  const focused = (document.activeElement as HTMLElement | null)?.dataset?.row;
  const always: Record<string, (() => void) | undefined> = {
    j: () => moveInList(1, inbox.neighbour(1)),
    k: () => moveInList(-1, inbox.neighbour(-1)),
    x: focused === undefined && conversation === null
      ? undefined
      : () => bulk.toggle(focused ?? conversation!.id),
    Escape: some ? bulk.clear : undefined,
    "/": focusSearch,
  };
  if (some) {
    return {
      ...always,
      e: bulk.resolve,
      a: () => void bulk.assign(inbox.user),
      u: () => void bulk.mark("unread"),
      s: () => void press("S", ".bulk-bar"),
    };
  }
  if (conversation === null) return always;
  const { id, status, assignee } = conversation;
  return {
    ...always,
    e: () => {
      inbox.setStatus(id, status === "open" || status === "pending" ? "resolved" : "open");
    },
    a: assignee?.userId === inbox.user.id ? undefined : () => {
      inbox.assign(id, inbox.user);
    },
    u: () => {
      inbox.markUnread(id);
    },
    "Shift+F": () => {
      inbox.finding.value = true;
    },
    l: inbox.openLabels,
    p() {
      if (!inbox.detailsShown.value) inbox.toggleDetails();
      requestAnimationFrame(() => requestAnimationFrame(() => press("P")));
    },
    i: inbox.toggleDetails,
  };
}
