import { browserStorage } from "../storage/browser_storage.ts";

const KEY = "parley.shortcuts";

/** Single-key shortcuts can be switched off, because dictation would trigger them (WCAG 2.1.4). */
export function shortcutsOn(): boolean {
  return browserStorage().getItem(KEY) !== "off";
}
export function switchShortcuts(on: boolean) {
  browserStorage().setItem(KEY, on ? "on" : "off");
}

/** The list in the help; `useShortcuts` of the inbox handles the same keys. */
export const SHORTCUTS: { keys: string[]; does: string }[] = [
  { keys: ["J", "K"], does: "Next and previous conversation" },
  { keys: ["Enter"], does: "Open the conversation" },
  { keys: ["X"], does: "Select, and then act on all selected" },
  { keys: ["/"], does: "Search" },
  { keys: ["R"], does: "Reply" },
  { keys: ["N"], does: "Write a private note" },
  { keys: ["Ctrl", "Shift", "Enter"], does: "Send and resolve" },
  { keys: ["Ctrl", "B"], does: "Bold, in a reply or note" },
  { keys: ["Ctrl", "I"], does: "Italic" },
  { keys: ["E"], does: "Resolve or reopen" },
  { keys: ["S"], does: "Snooze" },
  { keys: ["U"], does: "Mark as unread" },
  { keys: ["A"], does: "Assign to me" },
  { keys: ["L"], does: "Add or remove labels" },
  { keys: ["I"], does: "Show or hide details" },
  { keys: ["B"], does: "Open the notifications" },
  { keys: ["Esc"], does: "Leave the text field" },
  { keys: ["?"], does: "This help" },
];

/** The shortcut key of an event, letters in lower case; null while the user is typing text. */
export function shortcutKey(event: KeyboardEvent): string | null {
  if (event.defaultPrevented || event.metaKey || event.ctrlKey || event.altKey) return null;
  if (event.isComposing || isWriting(event.target) || !shortcutsOn()) return null;
  return event.key.length === 1 ? event.key.toLowerCase() : event.key;
}

function isWriting(target: EventTarget | null): boolean {
  return target instanceof HTMLElement &&
    (target.isContentEditable || target.closest("input, textarea, select, dialog") !== null);
}
