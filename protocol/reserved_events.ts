/** Names of the server's own events, which an event of a program must not imitate. */
import type { EphemeralEvents, LoggedEvent } from "./native.ts";

/**
 * `report`: says what happened; a program with the scope "events:emit" may send it, too.
 * `control`: controls the client itself; only the server sends it.
 * `free`: programs may send it.
 */
type Kind = "report" | "control" | "free";

const NATIVE = {
  message: "report",
  message_updated: "report",
  message_deleted: "report",
  conversation_changed: "report",
  hidden: "control",
  welcome: "control",
  conversation: "report",
  conversation_opened: "report",
  unread: "report",
  unread_counts: "report",
  message_status: "report",
  message_statuses: "report",
  typing: "report",
  presence: "report",
  heartbeat: "control",
  member_count: "report",
  user_joined: "report",
  user_left: "report",
  session_joined: "report",
  session_left: "report",
  edit: "report",
  cursor: "report",
  database_change: "report",
  widget_config: "control",
  metric_update: "report",
  subscription_ended: "control",
  notification: "free",
  notifications_read: "report",
  notification_preferences: "report",
  draft: "report",
  scheduled_changed: "report",
  user_event: "report",
  reconnect: "control",
  pong: "control",
} as const satisfies Record<keyof EphemeralEvents | LoggedEvent["type"], Kind>;

const OTHER_PROTOCOLS: Record<string, Kind> = {
  ack: "control",
  auth: "control",
  auth_error: "control",
  auth_response: "control",
  authenticated: "control",
  chat: "report",
  conversation_update: "report",
  error: "control",
  joined_conversation: "report",
  left_conversation: "report",
  message_received: "report",
  message_status_update: "report",
  new_message: "report",
  position: "control",
  presence_update: "report",
  receipt: "report",
  server_restarting: "control",
  subscription: "control",
  system: "control",
  typing_indicator: "report",
  unread_count_update: "report",
};

const KINDS = new Map<string, Kind>(Object.entries({ ...OTHER_PROTOCOLS, ...NATIVE }));

/** Why a program may not use this name for an event; null: it may. */
export function eventNameProblem(name: string, mayEmit: boolean): string | null {
  const kind = KINDS.get(name) ?? "free";
  if (kind === "free" || (kind === "report" && mayEmit)) return null;
  return kind === "report"
    ? 'is the name of the server\'s own event, which needs the scope "events:emit"'
    : "is the name of the server's own event";
}
