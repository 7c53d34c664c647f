import type { ConversationStatus } from "../../protocol/model.ts";

/** A conversation's status as people read it. */
export const STATUS_WORDS: Record<ConversationStatus, string> = {
  open: "Open",
  pending: "Pending",
  snoozed: "Snoozed",
  resolved: "Resolved",
};
