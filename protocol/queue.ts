/** How conversations come to agents. */
import { z } from "zod";
import { ConversationStatus, Id } from "./model.ts";

/** A week. */
const MAX_EDIT_MINUTES = 7 * 24 * 60;

/** The workspace's settings of the queue. */
export const QueueSettings = z.strictObject({
  /** An unassigned conversation is assigned to the agent who replies to it. */
  assignOnReply: z.boolean(),
  /** Minutes for which people can edit and withdraw their messages; 0: not at all. */
  editMinutes: z.number().int().min(0).max(MAX_EDIT_MINUTES),
  /** The team that new conversations of websites belong to; null: none. */
  teamId: Id.nullable(),
  /**
   * Minutes after which a conversation in which a contact waits is unassigned, where its agent has
   * been away or offline as long; null: never.
   */
  handBackAfterMinutes: z.number().int().min(1).max(1440).nullable(),
});
export type QueueSettings = z.infer<typeof QueueSettings>;

export const DEFAULT_QUEUE: QueueSettings = {
  assignOnReply: true,
  editMinutes: 15,
  teamId: null,
  handBackAfterMinutes: null,
};

/** The changes; everything else remains. */
export const UpdateQueueBody = QueueSettings.partial().refine(
  (body) => Object.keys(body).length > 0,
  "at least one setting is needed",
);
export type UpdateQueueBody = z.infer<typeof UpdateQueueBody>;

export const CountsQuery = z.strictObject({ status: ConversationStatus.optional() });

/** Conversations in each view, at most 100: then there may be more. */
export const ConversationCounts = z.object({
  mine: z.number().int(),
  unassigned: z.number().int(),
  mentions: z.number().int(),
  all: z.number().int(),
});
export type ConversationCounts = z.infer<typeof ConversationCounts>;
