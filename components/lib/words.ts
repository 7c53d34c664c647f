import type { Conversation, ConversationStatus } from "../../protocol/model.ts";

/** A conversation's status as people read it. */
export const STATUS_WORDS: Record<ConversationStatus, string> = {
  open: "Open",
  pending: "Pending",
  snoozed: "Snoozed",
  resolved: "Resolved",
};

/** Where a conversation comes from, as people read it. */
const CHANNEL_WORDS = new Map([["web", "Website"], ["context", "Shared context"]]);

export function channelWord(platform: string): string {
  return CHANNEL_WORDS.get(platform) ?? platform;
}

/** People in a sentence: "Ann", "Ann and Bea", "Ann, Bea and 2 others". */
export function namesOf(people: readonly { userName: string }[]): string {
  const names = people.map(({ userName }) => userName);
  if (names.length < 3) return names.join(" and ");
  if (names.length === 3) return `${names[0]}, ${names[1]} and ${names[2]}`;
  return `${names[0]}, ${names[1]} and ${names.length - 2} others`;
}

/** What a conversation is called: its contact, or the context that several people share. */
export function titleOf({ contact, contextId }: Pick<Conversation, "contact" | "contextId">) {
  return contextId === undefined ? contact.name : `${contextId} · ${contact.name}`;
}
