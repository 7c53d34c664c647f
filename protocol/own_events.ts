/** Names that clients know as the server's own: an event of a program must not look like one. */
import type { EphemeralEvents, LoggedEvent } from "./native.ts";

/**
 * `told`: says what happened; a program with the scope "events:emit" may say it, too.
 * `control`: steers the client itself; nobody but the server says it.
 * `free`: left to programs, because that is what they send.
 */
type Kind = "told" | "control" | "free";

const NATIVE = {
  message: "told",
  message_updated: "told",
  message_deleted: "told",
  conversation_changed: "told",
  hidden: "control",
  welcome: "control",
  conversation: "told",
  conversation_opened: "told",
  unread: "told",
  unread_counts: "told",
  message_status: "told",
  message_statuses: "told",
  typing: "told",
  presence: "told",
  heartbeat: "control",
  member_count: "told",
  user_joined: "told",
  user_left: "told",
  session_joined: "told",
  session_left: "told",
  edit: "told",
  cursor: "told",
  database_change: "told",
  widget_config: "control",
  metric_update: "told",
  subscription_ended: "control",
  notification: "free",
  notifications_read: "told",
  notification_preferences: "told",
  user_event: "told",
  reconnect: "control",
  pong: "control",
} as const satisfies Record<keyof EphemeralEvents | LoggedEvent["type"], Kind>;

const OTHER_PROTOCOLS: Record<string, Kind> = {
  ack: "control",
  auth: "control",
  auth_error: "control",
  auth_response: "control",
  authenticated: "control",
  chat: "told",
  conversation_update: "told",
  error: "control",
  joined_conversation: "told",
  left_conversation: "told",
  message_received: "told",
  message_status_update: "told",
  new_message: "told",
  position: "control",
  presence_update: "told",
  receipt: "told",
  server_restarting: "control",
  subscription: "control",
  system: "control",
  typing_indicator: "told",
  unread_count_update: "told",
};

const KINDS = new Map<string, Kind>(Object.entries({ ...OTHER_PROTOCOLS, ...NATIVE }));

/** What is wrong with this name for an event of a program; null: nothing. */
export function eventNameProblem(name: string, mayTell: boolean): string | null {
  const kind = KINDS.get(name) ?? "free";
  if (kind === "free" || (kind === "told" && mayTell)) return null;
  return kind === "told"
    ? 'is the name of the server\'s own event, which needs the scope "events:emit"'
    : "is the name of the server's own event";
}
