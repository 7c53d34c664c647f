import type { Message } from "../../protocol/model.ts";
import type { InboxModel } from "../live/inbox_model.ts";

/** Begins a reply to a message; to a note as a note. */
export function replyTo({ messages }: InboxModel, message: Message) {
  messages.replyingTo.value = message;
  if (message.isPrivate) compose("N");
  document.getElementById("composer")?.focus();
}

/** Switches the open composer to a reply (R) or a note (N), and puts the caret into it. */
export function compose(mode: "R" | "N") {
  document.querySelector<HTMLElement>(`.composer [aria-keyshortcuts="${mode}"]`)?.click();
}
