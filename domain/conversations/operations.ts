/**
 * The durable changes of a conversation and what each does to its state, without any I/O: the
 * writer loads the state, applies everything that waits, and stores the result.
 */
import type { EventRow, MessageRow } from "../../db/types.ts";
import { uuidv7 } from "../../db/uuid.ts";
import { ParleyError } from "../../protocol/errors.ts";
import type { ConversationLabel, ConversationStatus, Role, Sender } from "../../protocol/model.ts";
import type { Caller, Principal } from "../principal.ts";
import type { ChangePayload, FullConversationRow } from "./view.ts";

export interface Actor extends Sender {
  /** Whose rights are checked; null: the product itself. */
  principal: Principal | null;
}

export type Operation =
  & { conversationId: string; actor: Actor }
  & (
    | { kind: "message"; content: string; clientMessageId: string | null; isPrivate: boolean }
    | { kind: "edit"; messageId: string; content: string }
    | { kind: "delete"; messageId: string }
    | { kind: "status"; status: ConversationStatus }
    | { kind: "assign"; assignee: { userId: string; userName: string } | null }
    | { kind: "labels"; labelIds: readonly string[] }
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
  /** Loaded where an operation is about labels; see label_storage.ts. */
  labels: { known: ReadonlyMap<string, ConversationLabel>; changed: boolean } | null;
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

export interface Applied {
  /** The message that the operation was about, if it was about one. */
  message: MessageRow | null;
  /** True: the same operation was done before, nothing was written. */
  duplicate: boolean;
}

export function clientKey(senderId: string, clientMessageId: string): string {
  return `${senderId} ${clientMessageId}`;
}

/**
 * Whether the principal may see and write this conversation: agents all, visitors with a session
 * their own, participants those that their token names. A program sees all, as far as it may look.
 */
export function maySee(
  principal: Caller,
  row: { id: string; contact_id: string; context_id: string | null },
): boolean {
  if (principal.kind !== "visitor") return true;
  const { contexts } = principal;
  if (contexts === undefined) return row.contact_id === principal.userId;
  return contexts.includes(row.id) ||
    (row.context_id !== null && contexts.includes(row.context_id));
}

const PREVIEW = 200;

export function apply(working: Working, operation: Operation, now: Date): Applied {
  const { row } = working;
  const { actor } = operation;
  if (actor.principal !== null && !maySee(actor.principal, row)) {
    throw new ParleyError(
      "not_found",
      `Cannot find the conversation "${operation.conversationId}"`,
    );
  }
  switch (operation.kind) {
    case "message":
      return addMessage(working, operation, now);
    case "edit":
    case "delete":
      return changeMessage(working, operation, now);
    case "status":
      return { message: setStatus(working, actor, operation.status, now), duplicate: false };
    case "assign":
      return { message: assign(working, actor, operation.assignee, now), duplicate: false };
    case "labels":
      return setLabels(working, actor, operation.labelIds, now);
    case "pointer":
      working.pointed.add(actor.userId);
      movePointer(working, actor, Math.min(operation.seq, row.last_seq), operation.read, now);
      return { message: null, duplicate: false };
  }
}

function addMessage(
  working: Working,
  operation: Extract<Operation, { kind: "message" }>,
  now: Date,
): Applied {
  const { row } = working;
  const { actor, clientMessageId } = operation;
  if (clientMessageId !== null) {
    const known = working.byClientId.get(clientKey(actor.userId, clientMessageId));
    if (known !== undefined) return { message: known, duplicate: true };
  }
  const isPrivate = operation.isPrivate && actor.role !== "visitor";
  if (actor.role === "visitor" && (row.status === "resolved" || row.status === "snoozed")) {
    setStatus(working, { ...actor, role: "visitor" }, "open", now);
  }
  // The counts are of two sides, however many visitors share the conversation: what any of them
  // writes is inbound, and unread for every agent who has not read so far. What agents write is
  // outbound, and unread for each visitor by their own pointer. Visitors of one conversation are
  // one side: what one writes does not count as unread for the others.
  const counts = !isPrivate;
  if (counts && actor.role === "visitor") {
    row.inbound_count++;
    row.waiting_since ??= now;
  } else if (counts) {
    row.outbound_count++;
    // Who was answered by a bot still waits for a person.
    if (actor.role !== "bot") row.waiting_since = null;
  }
  const message = newMessage(working, actor, operation.content, "text", isPrivate, now);
  message.client_message_id = clientMessageId;
  if (actor.principal?.kind === "visitor") message.session_id = actor.principal.sessionHash;
  if (clientMessageId !== null) {
    working.byClientId.set(clientKey(actor.userId, clientMessageId), message);
  }
  log(working, "message", message, isPrivate, {}, now);
  row.last_message_seq = message.seq;
  row.last_message_preview = preview(message.content);
  row.last_message_role = message.sender_role;
  row.last_message_sender_id = message.sender_id;
  row.last_message_sender_name = message.sender_name;
  row.last_message_private = isPrivate;
  row.last_message_at = now;
  row.last_activity_at = now;
  // Who writes has seen what stands above. From a note the other side cannot conclude it.
  if (actor.role === "agent" || actor.role === "visitor") {
    if (isPrivate) working.pointed.add(actor.userId);
    movePointer(working, actor, message.seq, true, isPrivate ? now : null);
  }
  return { message, duplicate: false };
}

function preview(content: string): string {
  const line = content.replace(/\s+/g, " ").trim();
  return line.length <= PREVIEW ? line : line.slice(0, PREVIEW).toWellFormed();
}

function changeMessage(
  working: Working,
  operation: Extract<Operation, { kind: "edit" | "delete" }>,
  now: Date,
): Applied {
  const message = working.messages.get(operation.messageId);
  const { actor } = operation;
  const visible = message !== undefined && message.type === "text" &&
    (actor.role !== "visitor" || !message.is_private);
  if (!visible) {
    throw new ParleyError("not_found", `Cannot find the message "${operation.messageId}"`);
  }
  const admin = actor.principal?.kind === "agent" && actor.principal.role === "admin";
  const own = message.sender_id === actor.userId;
  if (!own && !(operation.kind === "delete" && admin)) {
    throw new ParleyError("forbidden", `Cannot ${operation.kind} the message: it is not yours`);
  }
  if (message.deleted_at !== null) {
    if (operation.kind === "delete") return { message, duplicate: true };
    throw new ParleyError("conflict", "Cannot edit the message: it was deleted");
  }
  if (operation.kind === "edit") {
    if (message.content === operation.content) return { message, duplicate: true };
    message.content = operation.content;
    message.edited_at = now;
  } else {
    message.content = "";
    message.deleted_at = now;
  }
  working.changedMessages.add(message);
  const type = operation.kind === "edit" ? "message_updated" : "message_deleted";
  const { userId, userName, role } = actor;
  log(working, type, message, message.is_private, { actor: { userId, userName, role } }, now);
  if (working.row.last_message_seq === message.seq) {
    working.row.last_message_preview = operation.kind === "edit" ? preview(message.content) : "";
  }
  return { message, duplicate: false };
}

const STATUS_VERB: Record<ConversationStatus, string> = {
  open: "reopened the conversation",
  pending: "marked the conversation as pending",
  snoozed: "snoozed the conversation",
  resolved: "resolved the conversation",
};

function setStatus(
  working: Working,
  actor: Actor,
  status: ConversationStatus,
  now: Date,
): MessageRow | null {
  const { row } = working;
  if (row.status === status) return null;
  if (actor.role === "visitor" && status !== "open") {
    throw new ParleyError("forbidden", "Cannot change the status: only agents may");
  }
  row.status = status;
  row.resolved_at = status === "resolved" ? now : null;
  if (status === "resolved") row.waiting_since = null;
  return logActivity(working, actor, STATUS_VERB[status], { status }, now);
}

function assign(
  working: Working,
  actor: Actor,
  assignee: { userId: string; userName: string } | null,
  now: Date,
): MessageRow | null {
  const { row } = working;
  if (row.assignee_id === (assignee?.userId ?? null)) return null;
  row.assignee_id = assignee?.userId ?? null;
  row.assignee_name = assignee?.userName ?? null;
  const what = assignee === null
    ? "removed the assignment"
    : assignee.userId === actor.userId
    ? "took the conversation"
    : `assigned the conversation to ${assignee.userName}`;
  return logActivity(working, actor, what, { assignee }, now);
}

/** The whole set; no line of the history tells of it, and no visitor. */
function setLabels(
  working: Working,
  actor: Actor,
  labelIds: readonly string[],
  now: Date,
): Applied {
  const { row } = working;
  const loaded = working.labels!;
  const labels = labelIds.toSorted().map((id) => {
    const label = loaded.known.get(id);
    if (label === undefined) throw noLabel(labelIds, id);
    return label;
  });
  const had = new Set(row.labels.map(({ id }) => id));
  if (labels.length === had.size && labels.every(({ id }) => had.has(id))) {
    return { message: null, duplicate: true };
  }
  row.labels = labels;
  loaded.changed = true;
  const { userId, userName, role } = actor;
  log(working, "conversation_changed", null, true, {
    labels: row.labels,
    actor: { userId, userName, role },
  }, now);
  return { message: null, duplicate: false };
}

export function noLabel(ids: readonly string[], id: string): ParleyError {
  return new ParleyError("invalid", `Cannot label the conversation: there is no label "${id}"`, {
    fields: [{ path: `labels.${ids.indexOf(id)}`, message: "must be a label's id" }],
  });
}

function logActivity(
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

/** Who writes activity lines and acts for the product itself. */
export const SYSTEM: Actor = {
  userId: "system",
  userName: "Parley",
  role: "system",
  principal: null,
};

function newMessage(
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

function log(
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

/**
 * Pointers only grow; the side's pointer is the furthest of its people, so a message is read when
 * one agent, or one of several visitors, has read it.
 *
 * @param receiptAt null: it follows from a message, which says so to everybody.
 */
function movePointer(
  working: Working,
  actor: Actor,
  seq: number,
  read: boolean,
  receiptAt: Date | null,
): void {
  if (actor.role !== "agent" && actor.role !== "visitor") return;
  const { row } = working;
  const known = working.participants.get(actor.userId);
  const atEnd = seq >= row.last_seq;
  const change: ParticipantChange = known ?? {
    conversation_id: row.id,
    user_id: actor.userId,
    role: actor.role,
    delivered_seq: 0,
    read_seq: 0,
    read_inbound: 0,
    read_outbound: 0,
  };
  change.delivered_seq = Math.max(change.delivered_seq, seq);
  if (read && seq >= change.read_seq) {
    change.read_seq = seq;
    change.read_inbound = atEnd ? row.inbound_count : null;
    change.read_outbound = atEnd ? row.outbound_count : null;
  }
  working.participants.set(actor.userId, change);
  const side = actor.role === "agent" ? "agent" : "contact";
  const deliveredKey = `${side}_delivered_seq` as const;
  const readKey = `${side}_read_seq` as const;
  const delivered = seq > row[deliveredKey];
  if (delivered) {
    row[deliveredKey] = seq;
    working.dirty = true;
  }
  const wasRead = read && seq > row[readKey];
  if (wasRead) {
    row[readKey] = seq;
    working.dirty = true;
  }
  if (delivered || wasRead) {
    noteReceipt(working, actor.role, wasRead ? "read" : "delivered", seq, actor.userId, receiptAt);
  }
}

/** A move is superseded by one that goes as far, and by a message, which both move each pointer. */
function noteReceipt(
  working: Working,
  role: "agent" | "visitor",
  event: "delivered" | "read",
  seq: number,
  userId: string,
  createdAt: Date | null,
): void {
  const { receipts } = working;
  const before = receipts.get(`${role} delivered`);
  if (before !== undefined && before.seq <= seq) receipts.delete(`${role} delivered`);
  if (createdAt === null) {
    receipts.delete(`${role} read`);
    return;
  }
  // Anew, so that they stand in the order in which they happened.
  receipts.delete(`${role} ${event}`);
  receipts.set(`${role} ${event}`, {
    role,
    event,
    seq,
    userId,
    createdAt,
    number: 0,
    at: 0,
    messageId: null,
  });
}
