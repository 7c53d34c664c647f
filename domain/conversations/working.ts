/** A conversation while the writer works on it, and how changes are noted in it. */
import type { EventRow, MessageRow } from "../../db/types.ts";
import { uuidv7 } from "../../db/uuid.ts";
import type { ConversationLabel, ConversationStatus, Role, Sender } from "../../protocol/model.ts";
import type { Principal } from "../principal.ts";
import type { ChangePayload, FullConversationRow } from "./view.ts";

/** What becomes of a conversation's labels: all that it is to have, or what comes and what goes. */
export type LabelChange =
  | { labelIds: readonly string[] }
  | { add: readonly string[]; remove: readonly string[] };

export interface Actor extends Sender {
  /** Whose rights are checked; null: the product itself. */
  principal: Principal | null;
}

export type Operation =
  & { conversationId: string; actor: Actor }
  & (
    | {
      kind: "message";
      content: string;
      clientMessageId: string | null;
      isPrivate: boolean;
      /**
       * Asked once it is known that the sender may write here, and that the message is new: refuses
       * by throwing. Asked again where a batch is tried again.
       */
      admit?: () => void;
    }
    | { kind: "edit"; messageId: string; content: string }
    | { kind: "delete"; messageId: string }
    | { kind: "status"; status: ConversationStatus }
    | {
      kind: "assign";
      assignee: { userId: string; userName: string } | null;
      /** Only while it is assigned to this agent; nothing happens otherwise. */
      from?: string;
    }
    | { kind: "labels"; change: LabelChange }
    | { kind: "pointer"; seq: number; read: boolean }
  );

export interface ParticipantChange {
  conversation_id: string;
  user_id: string;
  role: "agent" | "visitor";
  delivered_seq: number;
  read_seq: number;
  /** null: to be looked up from the message at read_seq. */
  read_inbound: number | null;
  read_outbound: number | null;
}

/** A conversation while a batch works on it. */
export interface Working {
  row: FullConversationRow;
  /** Of the row as it was read: another one as soon as anybody has changed it. */
  version: string;
  /** Whether the row's assignee, if there was one, was not switched off when it was read. */
  readonly assigneeWasActive: boolean;
  dirty: boolean;
  /** Messages of this conversation that operations refer to, by id, stored or new. */
  messages: Map<string, MessageRow>;
  /** The same by "senderId clientMessageId". */
  byClientId: Map<string, MessageRow>;
  newMessages: MessageRow[];
  changedMessages: Set<MessageRow>;
  events: { event: EventRow; message: MessageRow | null }[];
  participants: Map<string, ParticipantChange>;
  /** Participants who moved their pointer on purpose, or by a note that not everybody sees. */
  pointed: Set<string>;
  /** Of each side's pointer that moved so: the last move, by "role event". */
  receipts: Map<string, ReceiptChange>;
  /** The same moves for who is told of each message, also where a message says as much. */
  statuses: Map<string, StatusMove>;
  /** Loaded where an operation is about labels; see label_storage.ts. */
  labels: { known: ReadonlyMap<string, ConversationLabel>; changed: boolean } | null;
}

/** A row as the database had it at some moment. */
export interface KnownConversation {
  row: FullConversationRow;
  version: string;
}

/** What is known stays as it is: the batch works on a copy. */
export function beginWork({ row, version }: KnownConversation): Working {
  return {
    row: { ...row },
    version,
    assigneeWasActive: row.assignee_disabled_at === null,
    dirty: false,
    messages: new Map(),
    byClientId: new Map(),
    newMessages: [],
    changedMessages: new Set(),
    events: [],
    participants: new Map(),
    pointed: new Set(),
    receipts: new Map(),
    statuses: new Map(),
    labels: null,
  };
}

/** Whether there is anything of it to be stored. */
export function isChanged({ dirty, participants, changedMessages }: Working): boolean {
  return dirty || participants.size > 0 || changedMessages.size > 0;
}

export interface ReceiptChange {
  role: "agent" | "visitor";
  event: "delivered" | "read";
  seq: number;
  userId: string;
  createdAt: Date;
  /** Set when it is stored, after everything else of its batch; see `Receipt`. */
  number: number;
  at: number;
  /** The newest message of the other side up to `seq`; set with them. */
  messageId: string | null;
}

/** Messages of the other side that became delivered or read, because somebody said so. */
export interface StatusMove {
  role: "agent" | "visitor";
  event: "delivered" | "read";
  userId: string;
  /** The side's pointer before and after: messages with a `seq` behind `from`, up to `to`. */
  from: number;
  to: number;
}

export interface Applied {
  /** The message that the operation was about, if it was about one. */
  message: MessageRow | null;
  /** True: the same operation was done before, nothing was written. */
  duplicate: boolean;
}

export function clientKey(senderId: string, clientMessageId: string): string {
  return `${senderId} ${clientMessageId}`;
}

/** Who writes activity lines and acts for the product itself. */
export const SYSTEM: Actor = {
  userId: "system",
  userName: "Parley",
  role: "system",
  principal: null,
};

/** The line of the history, which agents see, and the change that it tells of. */
export function logActivity(
  working: Working,
  actor: Actor,
  what: string,
  payload: ChangePayload,
  now: Date,
): MessageRow {
  const content = `${actor.userName} ${what}`;
  const message = newMessage(working, SYSTEM, content, "activity", true, now);
  const { userId, userName, role } = actor;
  log(working, "conversation_changed", message, false, {
    ...payload,
    actor: { userId, userName, role },
  }, now);
  return message;
}

export function newMessage(
  working: Working,
  sender: Sender,
  content: string,
  type: MessageRow["type"],
  isPrivate: boolean,
  now: Date,
): MessageRow {
  const { row } = working;
  const message: MessageRow = {
    id: uuidv7(() => now.getTime()),
    conversation_id: row.id,
    seq: row.last_seq + 1,
    session_id: null,
    client_message_id: null,
    sender_id: sender.userId,
    sender_role: sender.role as Role,
    sender_name: sender.userName,
    type,
    content,
    is_private: isPrivate,
    platform: row.platform,
    inbound_count: row.inbound_count,
    outbound_count: row.outbound_count,
    created_at: now,
    edited_at: null,
    deleted_at: null,
  };
  working.newMessages.push(message);
  working.messages.set(message.id, message);
  return message;
}

/** The next place in the conversation's log. */
export function log(
  working: Working,
  type: EventRow["type"],
  message: MessageRow | null,
  isPrivate: boolean,
  payload: ChangePayload,
  now: Date,
): void {
  const seq = ++working.row.last_seq;
  working.dirty = true;
  working.row.updated_at = now;
  working.events.push({
    event: {
      conversation_id: working.row.id,
      seq,
      type,
      message_id: message?.id ?? null,
      is_private: isPrivate,
      payload: payload as Record<string, unknown>,
      created_at: now,
    },
    message,
  });
}
