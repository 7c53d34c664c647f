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
  const always = {
    j: () => moveInList(1, inbox.neighbour(1)),
    k: () => moveInList(-1, inbox.neighbour(-1)),
    "/": focusSearch,
    "?": () => inbox.helpOpen.value = true,
  };
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
    l: inbox.openLabels,
    i: inbox.toggleDetails,
  };
}
