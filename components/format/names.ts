import type { Conversation, ConversationStatus } from "../../protocol/model.ts";
import { isolate } from "../../protocol/visible_text.ts";

/** The names of a conversation's statuses. */
export const STATUS_WORDS: Record<ConversationStatus, string> = {
  open: "Open",
  pending: "Pending",
  snoozed: "Snoozed",
  resolved: "Resolved",
};

/** The names of the channels that a conversation may come from. */
const CHANNEL_WORDS = new Map([["web", "Website"], ["context", "Shared context"]]);

export function channelWord(platform: string): string {
  return CHANNEL_WORDS.get(platform) ?? platform;
}

/** People in a sentence: "Ann", "Ann and Bea", "Ann, Bea and 2 others". */
export function namesOf(people: readonly { userName: string }[]): string {
  const names = people.map(({ userName }) => isolate(userName.trim()) || "Visitor");
  if (names.length < 3) return names.join(" and ");
  if (names.length === 3) return `${names[0]}, ${names[1]} and ${names[2]}`;
  return `${names[0]}, ${names[1]} and ${names.length - 2} others`;
}

/** A contact's name, or what the server calls a visitor who gave none. */
export function contactName({ id, name }: { id: string; name: string }): string {
  return name.trim() || `Visitor ${id.slice(-4)}`;
}

/** The title of a conversation: its contact, with the context if it has one. */
export function titleOf({ contact, contextId }: Pick<Conversation, "contact" | "contextId">) {
  const name = contactName(contact);
  return contextId === undefined ? name : `${isolate(contextId)} · ${isolate(name)}`;
}
