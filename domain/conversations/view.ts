/** Converts rows of the conversation tables to what people may see. */
import type { ConversationRow, EventRow, MessageRow } from "../../db/types.ts";
import type {
  Conversation,
  ConversationLabel,
  Message,
  MessageStatus,
  Pointers,
  Priority,
  Role,
} from "../../protocol/model.ts";
import type { LoggedEvent } from "../../protocol/native.ts";
import type { LogEntry } from "./event_types.ts";
import { toQuote } from "./replies.ts";
import { priorityOf } from "./priority.ts";
import type { Audience } from "../principal.ts";
import { toContact } from "../visitors/contacts.ts";

/** A conversation with the names and labels that its view needs. */
export type FullConversationRow = ConversationRow & {
  contact_name: string;
  contact_email: string | null;
  contact_created_at: Date;
  contact_last_seen_at: Date | null;
  assignee_name: string | null;
  assignee_disabled_at: Date | null;
  labels: ConversationLabel[];
};

export function toPointers(row: ConversationRow): Pointers {
  return {
    agentDeliveredSeq: row.agent_delivered_seq,
    agentReadSeq: row.agent_read_seq,
    contactDeliveredSeq: row.contact_delivered_seq,
    contactReadSeq: row.contact_read_seq,
  };
}

export function toConversation(
  row: FullConversationRow,
  epoch: string,
  audience: Audience,
  unread?: number,
): Conversation {
  const lastVisible = row.last_message_preview !== null && row.last_message_at !== null &&
    (audience === "agents" || !row.last_message_private);
  return {
    id: row.id,
    status: row.status,
    platform: row.platform,
    ...(row.context_id === null ? {} : { contextId: row.context_id }),
    contact: toContact({
      id: row.contact_id,
      name: row.contact_name,
      email: row.contact_email,
      created_at: row.contact_created_at,
      last_seen_at: row.contact_last_seen_at,
    }),
    assignee: row.assignee_id === null
      ? null
      : { userId: row.assignee_id, userName: row.assignee_name ?? "" },
    ...(audience === "agents" ? { labels: row.labels } : {}),
    ...(audience === "agents" && row.priority > 0 ? { priority: priorityOf(row.priority) } : {}),
    ...(audience === "agents" && row.team_id !== null ? { teamId: row.team_id } : {}),
    ...(audience === "agents" && row.status === "snoozed"
      ? { snoozedUntil: row.snoozed_until?.toISOString() ?? null }
      : {}),
    lastMessage: lastVisible
      ? {
        seq: row.last_message_seq,
        preview: row.last_message_preview!,
        userId: row.last_message_sender_id ?? "",
        // The contact may have another name by now. With several visitors the sender may be another.
        userName: row.last_message_sender_id === row.contact_id
          ? row.contact_name
          : row.last_message_sender_name ?? "",
        role: row.last_message_role as Role,
        isPrivate: row.last_message_private,
        createdAt: row.last_message_at!.toISOString(),
      }
      : null,
    epoch,
    lastSeq: row.last_seq,
    inboundCount: row.inbound_count,
    ...(unread === undefined ? {} : { unread }),
    pointers: toPointers(row),
    waitingSince: row.waiting_since?.toISOString() ?? null,
    lastActivityAt: row.last_activity_at.toISOString(),
    createdAt: row.created_at.toISOString(),
    resolvedAt: row.resolved_at?.toISOString() ?? null,
  };
}

/** A message is delivered or read when somebody of the other side has received or read so far. */
export function messageStatus(row: MessageRow, pointers: Pointers): MessageStatus {
  const inbound = row.sender_role === "visitor";
  const read = inbound ? pointers.agentReadSeq : pointers.contactReadSeq;
  const delivered = inbound ? pointers.agentDeliveredSeq : pointers.contactDeliveredSeq;
  if (row.seq <= read) return "read";
  return row.seq <= delivered ? "delivered" : "sent";
}

export function toMessage(row: MessageRow, pointers: Pointers): Message {
  return {
    id: row.id,
    conversationId: row.conversation_id,
    seq: row.seq,
    clientMessageId: row.client_message_id,
    type: row.type,
    content: row.deleted_at === null ? row.content : "",
    ...(row.formatted === null || row.deleted_at !== null ? {} : { formatted: row.formatted }),
    ...(row.files === null || row.deleted_at !== null ? {} : { files: row.files }),
    isPrivate: row.is_private,
    ...(row.reply_to_id === null ? {} : { replyToId: row.reply_to_id }),
    ...(row.quoted ? { quote: toQuote(row.quoted) } : {}),
    ...(row.reactions === null || row.deleted_at !== null ? {} : { reactions: row.reactions }),
    sender: { userId: row.sender_id, userName: row.sender_name, role: row.sender_role },
    platform: row.platform,
    status: messageStatus(row, pointers),
    createdAt: row.created_at.toISOString(),
    editedAt: row.edited_at?.toISOString() ?? null,
    deletedAt: row.deleted_at?.toISOString() ?? null,
  };
}

/** The part of a change that its log row has; the rest comes from its message. */
export interface ChangePayload {
  status?: Conversation["status"];
  snoozedUntil?: string | null;
  priority?: Priority;
  team?: { id: string; name: string } | null;
  assignee?: Conversation["assignee"];
  labels?: ConversationLabel[];
  /** Of a snooze that has ended. */
  snoozedBy?: string;
  /** The line has a rating, and maybe a comment of the visitor. */
  rated?: true;
  reaction?: { emoji: string; isAdded: boolean };
  actor?: { userId: string; userName: string; role: Role };
}

/**
 * One row of the log as an event, for agents and for visitors. Live and replayed events are made by
 * this function, so that both are the same.
 */
export function toLogEntry(
  event: EventRow,
  message: MessageRow | null,
  pointers: Pointers,
): LogEntry {
  const { conversation_id: conversationId, seq } = event;
  const timestamp = event.created_at.toISOString();
  const hidden: LoggedEvent = { type: "hidden", timestamp, data: { conversationId, seq } };
  const payload = event.payload as ChangePayload;
  if (event.type === "conversation_changed") {
    const data = {
      conversationId,
      seq,
      ...(payload.status === undefined ? {} : { status: payload.status }),
      ...(payload.snoozedUntil === undefined ? {} : { snoozedUntil: payload.snoozedUntil }),
      ...(payload.priority === undefined ? {} : { priority: payload.priority }),
      ...(payload.team === undefined ? {} : { team: payload.team }),
      ...(payload.assignee === undefined ? {} : { assignee: payload.assignee }),
      ...(payload.labels === undefined ? {} : { labels: payload.labels }),
      actor: payload.actor!,
      createdAt: timestamp,
    };
    return {
      seq,
      // A change of the priority or the team is nothing to them.
      forVisitors: event.is_private || payload.priority !== undefined ||
          payload.team !== undefined
        ? hidden
        : { type: "conversation_changed", timestamp, data },
      forAgents: {
        type: "conversation_changed",
        timestamp,
        data: {
          ...data,
          ...(payload.snoozedBy === undefined ? {} : { snoozedBy: payload.snoozedBy }),
          ...(message === null ? {} : { message: toMessage(message, pointers) }),
        },
      },
    };
  }
  if (message === null) return { seq, forAgents: hidden, forVisitors: hidden };
  const full = toMessage(message, pointers);
  const forAgents: LoggedEvent = event.type === "message"
    // A message keeps its own seq; a later edit or deletion is an event of its own.
    ? { type: "message", timestamp, data: full }
    : event.type === "message_updated"
    ? {
      type: "message_updated",
      timestamp,
      data: {
        conversationId,
        seq,
        message: full,
        ...(payload.reaction === undefined
          ? {}
          : { reaction: { ...payload.reaction, actor: payload.actor! } }),
      },
    }
    : {
      type: "message_deleted",
      timestamp,
      data: {
        conversationId,
        seq,
        messageId: message.id,
        deletedAt: timestamp,
        ...(payload.actor === undefined ? {} : { actor: payload.actor }),
      },
    };
  return { seq, forAgents, forVisitors: event.is_private ? hidden : forAgents };
}
