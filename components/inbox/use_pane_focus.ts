import { useEffect, useRef } from "preact/hooks";
import type { InboxModel } from "../live/inbox_model.ts";

export type Pane = "list" | "thread" | "details";

/**
 * On a phone one pane replaces another. The focus follows: into the new pane, and back to the row
 * or the pane where it was.
 */
export function usePaneFocus(inbox: InboxModel, pane: Pane) {
  const before = useRef({ pane, row: inbox.selectedId.value });
  useEffect(() => {
    const last = before.current;
    before.current = { pane, row: inbox.selectedId.value ?? last.row };
    if (last.pane === pane || !inbox.phone.value) return;
    const target = pane === "list"
      ? `[data-row="${CSS.escape(last.row ?? "")}"]`
      : pane === "thread"
      ? "#thread"
      : "#details";
    document.querySelector<HTMLElement>(target)?.focus({ preventScroll: true });
  }, [pane]);
}
