/**
 * Keys of the dashboard. A control with `aria-keyshortcuts` is pressed by its key without further
 * code; components/palette/key_list.ts lists all keys for the help.
 */

/** Pages that are opened by G and one more key, by that key. */
export const PAGE_KEYS: Record<string, string> = {
  i: "/",
  a: "/analytics",
  c: "/contacts",
  r: "/rules",
  w: "/widgets",
  s: "/settings",
};

/** Whether keys without Ctrl act; see `AgentPreferences`. Tooltips show them only then. */
export function switchSingleKeys(on: boolean): void {
  document.documentElement.dataset.keys = on ? "on" : "off";
}

/**
 * The key of an event: "e", "Shift+E", "?" or "Enter"; null while the user is typing text, and where
 * single keys are switched off, because dictation would press them (WCAG 2.1.4).
 */
export function shortcutKey(event: KeyboardEvent): string | null {
  if (event.defaultPrevented || event.metaKey || event.ctrlKey || event.altKey) return null;
  if (event.isComposing || isWriting(event.target)) return null;
  const { key, shiftKey } = event;
  if (key.length > 1) return key;
  if (document.documentElement.dataset.keys === "off") return null;
  return shiftKey && /\p{L}/u.test(key) ? `Shift+${key.toUpperCase()}` : key.toLowerCase();
}

/** Presses the control that shows this key; false: there is none. */
export function press(key: string, within = ""): boolean {
  const name = key.length === 1 ? key.toUpperCase() : key;
  const control = [
    ...document.querySelectorAll<HTMLElement>(
      `${within} [aria-keyshortcuts="${CSS.escape(name)}"]`,
    ),
  ].find((one) => one.checkVisibility());
  if (control === undefined) return false;
  control.focus();
  control.click();
  return true;
}

function isWriting(target: EventTarget | null): boolean {
  return target instanceof HTMLElement &&
    (target.isContentEditable || target.closest("input, textarea, select, dialog") !== null);
}
