/** The changes that a batch makes to one conversation, collected before they are stored. */
import type { EventRow, FileRow, MessageRow } from "../../db/types.ts";
import { uuidv7 } from "../../db/uuid.ts";
import type { FormattedNode } from "../../protocol/formatting.ts";
import type { SentFiles } from "../files/queries.ts";
import type {
  ConversationLabel,
  ConversationStatus,
  Priority,
  Role,
  Sender,
} from "../../protocol/model.ts";
import type { TeamAssignment } from "../../protocol/teams.ts";
import type { Principal } from "../principal.ts";
import type { ChangePayload, FullConversationRow } from "./view.ts";

/** A change of a conversation's labels: the new set, or what is added and removed. */
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
      replyToId?: string | undefined;
      /** Of `formatText`. Default: the content is shown as it is. */
      formatted?: FormattedNode[] | null;
      clientMessageId: string | null;
      isPrivate: boolean;
      files?: SentFiles | undefined;
      /** An unassigned conversation is assigned to the sender, if its contact waits for a reply. */
      takes?: boolean;
      /**
       * Called when the sender's rights are checked and the message is new; throws to refuse it.
       * Called again when the batch is tried again.
       */
      admit?: () => void;
    }
    | {
      kind: "edit";
      messageId: string;
      content: string;
      formatted: FormattedNode[] | null;
      /** Minutes after which it is refused; absent: never. */
      withinMinutes?: number;
    }
    | { kind: "delete"; messageId: string; withinMinutes?: number }
    | {
      kind: "react";
      messageId: string;
      emoji: string;
      isAdded: boolean;
      /** As of a message. */
      admit?: () => void;
    }
    | { kind: "status"; status: ConversationStatus }
    /** null: until the next reply. */
    | { kind: "snooze"; until: Date | null }
    /** The end of this snooze; nothing happens if another one, or none, lasts now. */
    | { kind: "wake"; until: Date; snoozedBy?: string | undefined }
    | {
      kind: "assign";
      assignee: { userId: string; userName: string } | null;
      /** Only while it is assigned to this agent; nothing happens otherwise. */
      from?: string;
      /** Instead of the usual activity line: a whole sentence. */
      because?: string;
    }
    /** To a member of its team, among these users, as the team's settings say. */
    | { kind: "auto_assign"; available: readonly string[] }
    | { kind: "priority"; priority: Priority }
    | {
      kind: "team";
      team: { id: string; name: string } | null;
      /** Only while it is this team's; nothing happens otherwise. */
      from?: string;
    }
    | { kind: "labels"; change: LabelChange }
    /** A line of the history that only agents see: what the visitor has rated. */
    | { kind: "rated"; what: string }
    | { kind: "pointer"; seq: number; read: boolean }
  );

export interface ParticipantChange {
  conversation_id: string;
  user_id: string;
  role: "agent" | "visitor";
  delivered_seq: number;
  read_seq: number;
  /** null: taken from the message at read_seq when it is stored. */
  read_inbound: number | null;
  read_outbound: number | null;
}

/** Stored by a statement of their own; see `storeColumns` (storage.ts). */
export type RareColumn = "snoozed_until" | "priority" | "team_id";

/** A team's members who are active, while nobody else assigns conversations. */
export interface Seats {
  assignment: TeamAssignment;
  capacity: number | null;
  members: { userId: string; userName: string; turn: number }[];
}

export interface Roster {
  teams: ReadonlyMap<string, Seats>;
  /** Open conversations of each member, of whatever team. */
  open: Map<string, number>;
}

/** A conversation, and what a batch changes in it. */
export interface UnitOfWork {
  row: FullConversationRow;
  /** Of the row as it was read; every change of the row, by anybody, gives it another version. */
  version: string;
  /** False: the row had an assignee who was disabled when it was read. */
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
  /** Participants who moved their pointer by a command, or by a note that not everybody sees. */
  movedExplicitly: Set<string>;
  /** The last explicit move of each side's pointer, by "role event". */
  receipts: Map<string, ReceiptChange>;
  /** The same for clients that follow single messages, also where a message implies the move. */
  statuses: Map<string, StatusMove>;
  /** Columns of the row that the batch does not store, because they rarely change. */
  changedColumns: Set<RareColumn>;
  /** Loaded where an operation is about labels; see label_storage.ts. */
  labels: { known: ReadonlyMap<string, ConversationLabel>; changed: boolean } | null;
  /** Loaded where the conversation's team is to assign it; see assigning.ts. */
  roster: Roster | null;
  /** Who snoozed it in the batch, until a time. */
  snoozedBy: string | null;
  /** The turn of a team's member that the batch used up. */
  turn: { teamId: string; userId: string; turn: number } | null;
  /** Files that messages of the batch may still take, by id; loaded where one has some. */
  files: Map<string, FileRow>;
}

/** A row as the database had it at some time. */
export interface VersionedRow {
  row: FullConversationRow;
  version: string;
}

/** The batch works on a copy; the given row does not change. */
export function beginUnitOfWork({ row, version }: VersionedRow): UnitOfWork {
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
    movedExplicitly: new Set(),
    receipts: new Map(),
    statuses: new Map(),
    changedColumns: new Set(),
    labels: null,
    roster: null,
    turn: null,
    snoozedBy: null,
    files: new Map(),
  };
}

/** Whether there is anything to store. */
export function isChanged({ dirty, participants, changedMessages }: UnitOfWork): boolean {
  return dirty || participants.size > 0 || changedMessages.size > 0;
}

export interface ReceiptChange {
  role: "agent" | "visitor";
  event: "delivered" | "read";
  seq: number;
  userId: string;
  createdAt: Date;
  /** Set when the receipt is stored, after everything else of its batch; see `Receipt`. */
  number: number;
  at: number;
  /** The newest message of the other side up to `seq`; set with them. */
  messageId: string | null;
}

/** Messages of the other side that became delivered or read by an explicit move of a pointer. */
export interface StatusMove {
  role: "agent" | "visitor";
  event: "delivered" | "read";
  userId: string;
  /** The side's pointer before and after: messages with `from` < `seq` <= `to`. */
  from: number;
  to: number;
}

export interface Applied {
  /** The message of the operation, if it has one. */
  message: MessageRow | null;
  /** True: the operation was applied before, and nothing was written. */
  duplicate: boolean;
}

export function clientKey(senderId: string, clientMessageId: string): string {
  return `${senderId} ${clientMessageId}`;
}

/** The author of activity lines, and the actor of what Parley does by itself. */
export const SYSTEM: Actor = {
  userId: "system",
  userName: "Parley",
  role: "system",
  principal: null,
};

/**
 * Logs a change with the activity line that agents see in the history.
 *
 * @param what follows the actor's name; what the product does itself is a whole sentence.
 */
export function logActivity(
  unit: UnitOfWork,
  actor: Actor,
  what: string | { sentence: string },
  payload: ChangePayload,
  now: Date,
): MessageRow {
  const content = typeof what === "string" ? `${actor.userName} ${what}` : what.sentence;
  const message = newMessage(unit, SYSTEM, content, "activity", true, now);
  const { userId, userName, role } = actor;
  log(unit, "conversation_changed", message, false, {
    ...payload,
    actor: { userId, userName, role },
  }, now);
  return message;
}

export function newMessage(
  unit: UnitOfWork,
  sender: Sender,
  content: string,
  type: MessageRow["type"],
  isPrivate: boolean,
  now: Date,
): MessageRow {
  const { row } = unit;
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
    files: null,
    formatted: null,
    reply_to_id: null,
    reactions: null,
  };
  unit.newMessages.push(message);
  unit.messages.set(message.id, message);
  return message;
}

/** Appends to the conversation's log, with the next `seq`. */
export function log(
  unit: UnitOfWork,
  type: EventRow["type"],
  message: MessageRow | null,
  isPrivate: boolean,
  payload: ChangePayload,
  now: Date,
): void {
  const seq = ++unit.row.last_seq;
  unit.dirty = true;
  unit.row.updated_at = now;
  unit.events.push({
    event: {
      conversation_id: unit.row.id,
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
