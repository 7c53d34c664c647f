/** All keys, as the help lists them. What an action does is in shell/use_page_keys.ts and inbox/use_shortcuts.ts. */

export interface KeyGroup {
  title: string;
  onlyInbox?: boolean;
  /** What it does, and the keys to press one after the other or together. */
  keys: [does: string, ...keys: string[]][];
}

export const KEY_GROUPS: KeyGroup[] = [
  {
    title: "Everywhere",
    keys: [
      ["Command palette", "Ctrl", "K"],
      ["This list", "?"],
      ["Notifications", "B"],
      ["Go to the inbox", "G", "I"],
      ["Go to contacts", "G", "C"],
      ["Go to analytics", "G", "A"],
      ["Go to rules", "G", "R"],
      ["Go to widgets", "G", "W"],
      ["Go to settings", "G", "S"],
    ],
  },
  {
    title: "The list",
    onlyInbox: true,
    keys: [
      ["Next and previous conversation", "J", "K"],
      ["Open the conversation", "Enter"],
      ["Select, and then act on all selected", "X"],
      ["Search in everything", "/"],
      ["Mine, unassigned, all", "1", "2", "3"],
      ["Views", "Shift", "V"],
      ["Filter", "F"],
      ["Which status", "Shift", "S"],
      ["Which label", "Shift", "L"],
      ["Order and rows", "Shift", "O"],
      ["Mark all as read", "Shift", "U"],
    ],
  },
  {
    title: "The conversation",
    onlyInbox: true,
    keys: [
      ["Resolve or reopen", "E"],
      ["Snooze, and more statuses", "S"],
      ["Assign to me", "A"],
      ["Assign to somebody", "Shift", "A"],
      ["Priority", "P"],
      ["Labels", "L"],
      ["Mark as unread", "U"],
      ["Show or hide details", "I"],
      ["Find in the conversation (also Ctrl F)", "Shift", "F"],
      ["Between messages", "↑", "↓"],
      ["Menu of a message", "Enter"],
      ["Reply to a message", "Q"],
      ["React to a message", "+"],
      ["Withdraw your message", "Delete"],
    ],
  },
  {
    title: "Writing",
    onlyInbox: true,
    keys: [
      ["Reply", "R"],
      ["Private note", "N"],
      ["Write together", "W"],
      ["Canned replies", "C"],
      ["Emoji", "M"],
      ["Attach files", "O"],
      ["Record a voice message", "V"],
      ["Send later", "T"],
      ["Bold", "Ctrl", "B"],
      ["Italic", "Ctrl", "I"],
      ["Send and resolve", "Ctrl", "Shift", "Enter"],
      ["Edit your last message", "↑"],
      ["Leave the text field", "Esc"],
    ],
  },
];
