import { useEffect } from "preact/hooks";
import type { InboxModel } from "../live/inbox_model.ts";
import { shortcutKey } from "../shell/shortcuts.ts";
import { compose } from "./compose.ts";
import { focusSearch } from "./SearchBox.tsx";
import { moveInList } from "./use_roving_rows.ts";

/** The single-key shortcuts of the inbox; shell/shortcuts.ts lists them for the help. */
export function useShortcuts(inbox: InboxModel) {
  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent) => {
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
    "?": () => inbox.helpOpen.value = true,
  };
  const press = (where: string, key: string) => () =>
    document.querySelector<HTMLElement>(`${where} [aria-keyshortcuts="${key}"]`)?.click();
  if (some) {
    return {
      ...always,
      e: bulk.resolve,
      a: () => void bulk.assign(inbox.user),
      u: () => void bulk.mark("unread"),
      s: press(".bulk-bar", "S"),
    };
  }
  if (conversation === null) return always;
  const { id, status, assignee } = conversation;
  return {
    ...always,
    r: () => compose("R"),
    n: () => compose("N"),
    s: () =>
      document.querySelector<HTMLElement>('.thread-actions [aria-keyshortcuts="S"]')?.click(),
    e: () => {
      inbox.setStatus(id, status === "open" || status === "pending" ? "resolved" : "open");
    },
    a: assignee?.userId === inbox.user.id ? undefined : () => {
      inbox.assign(id, inbox.user);
    },
    u: () => {
      inbox.markUnread(id);
    },
    l: inbox.openLabels,
    i: inbox.toggleDetails,
  };
}
