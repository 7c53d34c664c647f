/** Replies that are sent at a later time, with bodies of requests and responses. */
import { z } from "zod";
import { Id, Sender, Timestamp } from "./model.ts";
import { Content } from "./native.ts";

/** Scheduled messages of one conversation, and of one agent. */
export const MAX_SCHEDULED_IN_CONVERSATION = 20;
export const MAX_SCHEDULED_OF_AGENT = 500;
/** How far ahead one may be, in days. */
export const MAX_SCHEDULED_DAYS = 366;

export const ScheduledMessage = z.object({
  id: Id,
  conversationId: Id,
  /** The agent as whom it is sent. */
  sender: Sender,
  content: z.string(),
  sendAt: Timestamp,
  /** Why it could not be sent; it waits until somebody sends, changes or cancels it. */
  error: z.string().nullable(),
  createdAt: Timestamp,
});
export type ScheduledMessage = z.infer<typeof ScheduledMessage>;

export const CreateScheduledBody = z.strictObject({ content: Content, sendAt: Timestamp });
export type CreateScheduledBody = z.infer<typeof CreateScheduledBody>;
export const UpdateScheduledBody = CreateScheduledBody.partial().refine(
  (body) => Object.values(body).some((value) => value !== undefined),
  "at least one of content and sendAt is needed",
);
export type UpdateScheduledBody = z.infer<typeof UpdateScheduledBody>;

/** The next one first. */
export const ScheduledList = z.object({ items: z.array(ScheduledMessage), nextCursor: z.null() });
export type ScheduledList = z.infer<typeof ScheduledList>;
