/** The hub's events as Socket.IO packets. */
import type { Audience } from "../../domain/principal.ts";
import type { ParleyError } from "../../protocol/errors.ts";
import type { Message, Presence, Role } from "../../protocol/model.ts";
import type { Member, UnreadCounts } from "../../protocol/native.ts";
import type { HubEvent } from "../broker.ts";
import { ROOMS } from "../rooms.ts";
import { SEPARATOR } from "./socket_io_positions.ts";

/** One packet of the main namespace. `part` tells packets of one log entry apart. */
export interface SocketIoPacket {
  name: string;
  data: Record<string, unknown>;
  part?: Part;
}

/** new_message, message_received, message_updated, message_deleted, conversation_changed. */
type Part = "n" | "r" | "u" | "d" | "c";

export function eventText(name: string, data: unknown, offset?: string): string {
  return "2" + JSON.stringify(offset === undefined ? [name, data] : [name, data, offset]);
}

export function ackText(id: number, data: unknown): string {
  return `3${id}${JSON.stringify([data])}`;
}

/** The roles as this protocol names them. */
export const ROLE: Record<Role, "admin" | "customer" | "bot"> = {
  agent: "admin",
  visitor: "customer",
  bot: "bot",
  system: "bot",
};

/** This protocol has no notes and no activity lines. */
export function isShown(message: Message): boolean {
  return !message.isPrivate && message.type === "text";
}

export function messageData(message: Message) {
  const { sender, editedAt, deletedAt } = message;
  return {
    id: message.id,
    conversationId: message.conversationId,
    seq: message.seq,
    clientMessageId: message.clientMessageId,
    content: message.content,
    ...(message.files === undefined ? {} : { files: message.files }),
    sender: { userId: sender.userId, userName: sender.userName, role: ROLE[sender.role] },
    timestamp: message.createdAt,
    platform: message.platform,
    status: message.status,
    ...(editedAt === null ? {} : { editedAt }),
    ...(deletedAt === null ? {} : { deletedAt }),
  };
}

export function presenceData({ userId, userName, role, status, since }: Presence) {
  return { userId, userName, role: ROLE[role], status, timestamp: since };
}

/** Errors of authentication. */
const OF_AUTH = new Set(["auth_timeout", "invalid_token", "invalid_session"]);

export function errorData(error: ParleyError, timestamp: string) {
  const { message, code, retryAfter, limit, fields } = error;
  return {
    message,
    error: message,
    code,
    timestamp,
    ...(retryAfter === undefined ? {} : { retryAfter }),
    ...(limit === undefined ? {} : { limit }),
    ...(fields === undefined ? {} : { fields }),
  };
}

/** An error that answers no acknowledgement. */
export function errorText(error: ParleyError, timestamp: string, ofAuth = false): string {
  const data = errorData(error, timestamp);
  const text = eventText("error", data);
  if (!ofAuth && !OF_AUTH.has(error.code)) return text;
  return eventText("auth_error", data) + SEPARATOR + text;
}

/**
 * The packets of an event. Two rooms deliver it to an agent: `ROOMS.messages` delivers the packets
 * for the list of conversations, and the conversation's room those for the conversation.
 */
export function packetsOf(
  event: HubEvent,
  room: string | null,
  audience: Audience,
): SocketIoPacket[] {
  const { timestamp } = event;
  const isOverview = room === ROOMS.messages;
  switch (event.type) {
    case "message": {
      if (!isShown(event.data)) return [];
      const message = messageData(event.data);
      const received: SocketIoPacket = { name: "message_received", data: message, part: "r" };
      const news: SocketIoPacket = { name: "new_message", data: { message, timestamp }, part: "n" };
      if (audience === "visitors") return [news, received];
      return [isOverview ? news : received];
    }
    case "message_updated":
      if (!isShown(event.data.message)) return [];
      return [{
        name: "message_updated",
        data: { message: messageData(event.data.message), seq: event.data.seq, timestamp },
        part: "u",
      }];
    case "message_deleted":
      return [{ name: "message_deleted", data: withActor(event.data, timestamp), part: "d" }];
    case "conversation_changed": {
      const { message: _line, ...data } = event.data;
      return [{ name: "conversation_changed", data: withActor(data, timestamp), part: "c" }];
    }
    case "conversation":
      return [{ name: "conversation_update", data: { ...event.data, timestamp } }];
    case "conversation_opened":
      return [{ name: "conversation_opened", data: { ...event.data, timestamp } }];
    case "message_statuses": {
      const { conversationId, userId, role, status, messages } = event.data;
      const by = { userId, role: ROLE[role] };
      return messages.map(({ messageId, seq }) => ({
        name: "message_status_update",
        data: { messageId, conversationId, status, seq, ...by, timestamp },
      }));
    }
    case "unread":
    case "unread_counts": {
      const { unreadCounts, totalUnread } = event.data as UnreadCounts;
      return [{ name: "unread_count_update", data: { unreadCounts, totalUnread, timestamp } }];
    }
    case "typing":
      return [{ name: "typing_indicator", data: { ...event.data, role: ROLE[event.data.role] } }];
    case "presence":
      return [{ name: "presence_update", data: { ...presenceData(event.data), timestamp } }];
    case "notification": {
      const { notification, unread } = event.data;
      return [{ name: "notification", data: { ...notification, unread, timestamp } }];
    }
    case "user_event":
      return [{ name: event.data.name, data: event.data.data }];
    case "reconnect":
      return [{ name: "server_restarting", data: { ...event.data, timestamp } }];
    default:
      return [];
  }
}

function withActor<T extends { actor?: Member }>({ actor, ...data }: T, timestamp: string) {
  if (actor === undefined) return { ...data, timestamp };
  return { ...data, actor: { ...actor, role: ROLE[actor.role] }, timestamp };
}

/** @returns the offset of a packet; undefined if its event is not in a log. */
export function offsetOf(
  epoch: string,
  event: HubEvent,
  { part }: SocketIoPacket,
): string | undefined {
  if (part === undefined) return undefined;
  const { seq } = event.data as { seq: number };
  return `${epoch}.${conversationOf(event)}.${seq}${part}`;
}

function conversationOf(event: HubEvent): string {
  return (event.data as { conversationId: string }).conversationId;
}
