/** Agents' notifications and their preferences. */
import { z } from "zod";
import { Cursor, Id, Notification, queryInteger } from "./model.ts";

/** In the order in which settings show them. */
export const NOTIFICATION_KINDS = [
  /** Somebody else assigned a conversation to them. */
  "assigned",
  /** A colleague wrote "@" and their name. */
  "mention",
  /** Somebody writes for the first time, or again after it was resolved. */
  "new_conversation",
  /** A message in a conversation that is assigned to them. */
  "message",
  /** A contact has waited longer than WAITING_ALERT_MS. */
  "waiting",
  /** The snooze of their conversation, or one that they snoozed and nobody has, has ended. */
  "snooze_ended",
] as const;
export const NotificationKind = z.enum(NOTIFICATION_KINDS);
export type NotificationKind = z.infer<typeof NotificationKind>;

/** How one kind is shown. Without `bell` there is no notification at all. */
const Ways = z.strictObject({ bell: z.boolean(), sound: z.boolean(), browser: z.boolean() });
export type NotificationWays = z.infer<typeof Ways>;

function ofEachKind<T extends z.ZodType>(schema: T) {
  return z.strictObject({
    assigned: schema,
    mention: schema,
    new_conversation: schema,
    message: schema,
    waiting: schema,
    snooze_ended: schema,
  });
}

export const NotificationPreferences = ofEachKind(Ways);
export type NotificationPreferences = z.infer<typeof NotificationPreferences>;

/** The defaults. The browser asks for its own permission as well. */
export const DEFAULT_PREFERENCES: NotificationPreferences = {
  assigned: { bell: true, sound: true, browser: true },
  mention: { bell: true, sound: true, browser: true },
  new_conversation: { bell: true, sound: true, browser: false },
  message: { bell: true, sound: true, browser: true },
  waiting: { bell: true, sound: false, browser: true },
  snooze_ended: { bell: true, sound: true, browser: true },
};

/** The changes; everything else remains. */
export const UpdatePreferencesBody = ofEachKind(Ways.partial().optional()).partial().refine(
  (body) => Object.keys(body).length > 0,
  "at least one kind is needed",
);
export type UpdatePreferencesBody = z.infer<typeof UpdatePreferencesBody>;

export const NotificationQuery = z.strictObject({
  /** "true": only those that are not read. */
  unread: z.enum(["true", "false"]).optional(),
  cursor: Cursor.optional(),
  limit: queryInteger(1, 100).optional(),
});

export const UnreadNotifications = z.object({ unread: z.number().int() });
/** Newest first; `unread` counts all unread ones, on all pages. */
export const NotificationList = z.object({
  items: z.array(Notification),
  nextCursor: z.string().nullable(),
  unread: z.number().int(),
});
export type NotificationList = z.infer<typeof NotificationList>;

/** Names that Socket.IO keeps for itself. */
const RESERVED = new Set([
  "connect",
  "connect_error",
  "disconnect",
  "disconnecting",
  "newListener",
  "removeListener",
]);

/** The name of an event that other code sends to a user. */
export const EventName = z.string().regex(
  /^[A-Za-z][\w.:-]{0,63}$/,
  "must begin with a letter and have at most 64 letters, digits, and _ . : -",
).refine((name) => !RESERVED.has(name), "is kept for the protocol");

export const UnreadConversationsBody = z.strictObject({ ids: z.array(Id).min(1).max(500) });

/** What has to be read at once: these, or everything that is not read. */
export const ReadConversationsBody = z.union([
  z.strictObject({ ids: z.array(Id).min(1).max(500) }),
  z.strictObject({ all: z.literal(true) }),
]);
export type ReadConversationsBody = z.infer<typeof ReadConversationsBody>;
export const ReadConversationsResponse = z.object({
  /** Conversations that had something unread and now have not. */
  read: z.number().int(),
  totalUnread: z.number().int(),
  unreadCounts: z.record(z.string(), z.number().int()),
});
