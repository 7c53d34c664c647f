import { useEffect } from "preact/hooks";
import { navigate } from "../live/page_navigation.ts";
import type { WorkspaceModel } from "../live/workspace_model.ts";
import { PAGE_KEYS, press, shortcutKey } from "./keys.ts";

/** G was pressed; the page may change before the next key. */
let isGoing = false;

/**
 * The keys of every page: Ctrl or Cmd and K for the command palette, G and a letter for another page,
 * `?` for the list of keys, and the keys of the controls that are on the page.
 */
export function usePageKeys({ paletteOpen, helpOpen }: WorkspaceModel) {
  useEffect(() => {
    // Before the keys of the page, in which the letter after G has another meaning.
    const first = (event: KeyboardEvent) => {
      const isCommand = (event.ctrlKey || event.metaKey) && !event.altKey && !event.shiftKey;
      if (isCommand && event.key.toLowerCase() === "k") {
        if (document.querySelector("dialog[open]") === null) paletteOpen.value = true;
        return event.preventDefault();
      }
      const key = shortcutKey(event);
      if (key === null || key === "Shift") return;
      const page = isGoing ? PAGE_KEYS[key] : undefined;
      isGoing = key === "g";
      if (page === undefined && !isGoing) return;
      event.preventDefault();
      if (page !== undefined) navigate(page);
    };
    const last = (event: KeyboardEvent) => {
      const key = shortcutKey(event);
      if (key === "?") helpOpen.value = true;
      else if (key === null || key === "Enter" || !press(key)) return;
      event.preventDefault();
    };
    document.addEventListener("keydown", first, { capture: true });
    // At the window: after the keys that a page handles itself.
    globalThis.addEventListener("keydown", last);
    return () => {
      document.removeEventListener("keydown", first, { capture: true });
      globalThis.removeEventListener("keydown", last);
    };
  }, []);
}
