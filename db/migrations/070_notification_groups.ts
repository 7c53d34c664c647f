import { buildIndex, type Step } from "../steps.ts";

/** Unread groups of notifications by their conversations, see domain/notifications/groups.ts. */
export const steps: Step[] = [
  buildIndex(
    "notifications_groups",
    `on notifications using gin ((data->'conversations'))
      where read_at is null and conversation_id is null`,
  ),
];
