/** One batch of changes as one call of the database (db/migrations/030_write_batch.ts). */
import { sql } from "kysely";
import { type CompositeValue, toComposites } from "../../db/composites.ts";
import type { Db } from "../../db/database.ts";
import { DatabaseUnavailable } from "../../db/database_error.ts";
import type { ConversationRow, EventRow, MessageRow } from "../../db/types.ts";
import { type LabelFound, toLabels } from "./label_storage.ts";
import { assignNumbers, positionReceipts, type StoredReceipt } from "./receipts.ts";
import type { MessageStatuses } from "./event_types.ts";
import { hasRareParts } from "./message_files.ts";
import { listMoves, toStatuses } from "./statuses.ts";
import { readVersionedRows } from "./storage.ts";
import { beginUnitOfWork, type ParticipantChange, type UnitOfWork } from "./unit_of_work.ts";

export interface StoredPointer {
  conversation_id: string;
  user_id: string;
  role: "agent" | "visitor";
  delivered_seq: number;
  read_seq: number;
  read_inbound: number;
  read_outbound: number;
}

export interface Stored {
  pointers: StoredPointer[];
  /** By conversation, in the order in which it happened. */
  statuses: Map<string, MessageStatuses[]>;
  /** Of the transaction, to ask later whether it was committed; null: it wrote nothing. */
  xid: string | null;
}

/** Why nothing was stored: the conversations that prevented it. */
export interface NotStored {
  /** They have changed since they were read, or are locked by somebody else. */
  stale: string[];
  /** They already have messages with these client ids. */
  repeated: string[];
}

interface Answer {
  stale?: string[];
  known?: string[];
  xid: string | null;
  pointers: StoredPointer[] | null;
  receipts: StoredReceipt[] | null;
  statuses: [nth: number, messageId: string, seq: number][] | null;
  names: Names[] | null;
  labels: LabelFound[] | null;
}

type Names = [
  id: string,
  contactName: string,
  contactEmail: string | null,
  contactCreatedAt: string,
  contactLastSeenAt: string | null,
  assigneeName: string | null,
  assigneeDisabledAt: string | null,
];

/**
 * Stores all changes of these conversations, or nothing. The names and labels in their rows, which
 * others may have changed, are updated to what they were after the rows were locked.
 *
 * @param maxStatuses messages whose new status is announced for one move of a pointer, at most
 */
export async function writeBatch(
  db: Db,
  all: readonly UnitOfWork[],
  maxStatuses: number,
): Promise<Stored | NotStored> {
  const receipts = positionReceipts(all);
  const moves = listMoves(all);
  const parameter = (type: string, rows: readonly (readonly CompositeValue[])[]) =>
    sql`${toComposites(rows)}::${sql.raw(type)}[]`;
  const { rows: [row] } = await sql<{ answer: Answer }>`select write_batch(
    ${parameter("batch_conversation", all.map(conversation))},
    ${parameter("batch_message", all.flatMap(newMessages))},
    ${parameter("batch_event", all.flatMap(({ events }) => events.map(logged)))},
    ${
    parameter("batch_pointer", all.flatMap((one) => [...one.participants.values()].map(pointer)))
  },
    ${parameter("batch_receipt", receipts.rows)},
    ${parameter("batch_move", moves.rows)},
    ${maxStatuses}::integer) as answer`.execute(db);
  const { answer } = row!;
  if (answer.stale !== undefined || answer.known !== undefined) {
    return { stale: answer.stale ?? [], repeated: answer.known ?? [] };
  }
  assignNumbers(receipts.changes, answer.receipts ?? []);
  assignNames(all, answer);
  for (const unit of all) {
    // This transaction wrote the row; xmin is the lower half of its id.
    if (unit.dirty) unit.version = String(BigInt(answer.xid!) & 0xffff_ffffn);
  }
  return {
    pointers: answer.pointers ?? [],
    statuses: toStatuses(moves.moves, answer.statuses ?? []),
    xid: answer.xid,
  };
}

/**
 * Whether a call stored its batch although its connection broke before the answer. The result is
 * final: asking gives the row another version, so a call that arrives later stores nothing.
 *
 * @throws {DatabaseUnavailable} while the call is running, or the database is away.
 */
export async function wasStored(db: Db, all: readonly UnitOfWork[]): Promise<boolean> {
  const { row } = all[0]!;
  const message = all.flatMap(({ newMessages }) => newMessages)[0];
  const moved = all.find(({ receipts }) => receipts.size > 0);
  const receipt = moved?.receipts.values().next().value;
  return await db.transaction().execute(async (trx) => {
    await trx.updateTable("conversations").set({ last_seq: sql<number>`last_seq` })
      .where("id", "=", row.id).execute();
    if (message !== undefined) {
      const found = await trx.selectFrom("chat_messages").select("id")
        .where("id", "=", message.id).executeTakeFirst();
      return found !== undefined;
    }
    // Pointers that moved without a receipt can be moved again.
    if (receipt === undefined) return false;
    const found = await trx.selectFrom("conversation_receipts").select("number")
      .where("conversation_id", "=", moved!.row.id).where("role", "=", receipt.role)
      .where("event", "=", receipt.event).where("seq", "=", receipt.seq)
      .where("created_at", "=", receipt.createdAt).executeTakeFirst();
    return found !== undefined;
  });
}

/**
 * The answer that was lost, of a batch that was stored; see `wasStored`.
 *
 * @throws {DatabaseUnavailable} while others are changing these conversations, or the database is
 * away.
 */
export async function readAnswer(
  db: Db,
  all: readonly UnitOfWork[],
  maxStatuses: number,
): Promise<Stored> {
  const versions = new Map(
    (await readVersionedRows(db, all.map(({ row }) => row.id))).map((one) => [one.row.id, one]),
  );
  const again = all.flatMap((unit): UnitOfWork[] => {
    const now = versions.get(unit.row.id);
    if (now === undefined) return [];
    const { assigneeWasActive } = beginUnitOfWork(now);
    const stored = { dirty: false, newMessages: [], events: [] };
    return [{ ...unit, ...stored, version: now.version, assigneeWasActive }];
  });
  const answer = await writeBatch(db, again, maxStatuses);
  if ("pointers" in answer) return answer;
  throw new DatabaseUnavailable("lock_timeout", new Error("The conversations are being changed"));
}

/** Those with files or markup are stored before. */
const newMessages = (unit: UnitOfWork) =>
  unit.newMessages.filter((row) => !hasRareParts(row)).map(message);

function assignNames(all: readonly UnitOfWork[], { names, labels }: Answer): void {
  const byId = new Map(names?.map((one) => [one[0], one]));
  const labelsOf = Map.groupBy(labels ?? [], (label) => label.conversation_id);
  for (const { row } of all) {
    const [, name, email, createdAt, lastSeenAt, assigneeName, disabledAt] = byId.get(row.id)!;
    row.contact_name = name;
    row.contact_email = email;
    row.contact_created_at = new Date(createdAt);
    row.contact_last_seen_at = lastSeenAt === null ? null : new Date(lastSeenAt);
    row.assignee_name = assigneeName;
    row.assignee_disabled_at = disabledAt === null ? null : new Date(disabledAt);
    row.labels = toLabels(labelsOf.get(row.id));
  }
}

/** Columns of the composite types of 030_write_batch.ts, in their order. */
const CONVERSATION = [
  "status",
  "assignee_id",
  "last_seq",
  "inbound_count",
  "outbound_count",
  "agent_delivered_seq",
  "agent_read_seq",
  "contact_delivered_seq",
  "contact_read_seq",
  "last_message_seq",
  "last_message_preview",
  "last_message_role",
  "last_message_sender_id",
  "last_message_sender_name",
  "last_message_private",
  "last_message_at",
  "last_activity_at",
  "waiting_since",
  "updated_at",
  "resolved_at",
] as const satisfies (keyof ConversationRow)[];

const MESSAGE = [
  "id",
  "conversation_id",
  "seq",
  "session_id",
  "client_message_id",
  "sender_id",
  "sender_role",
  "sender_name",
  "type",
  "content",
  "is_private",
  "platform",
  "inbound_count",
  "outbound_count",
  "created_at",
] as const satisfies (keyof MessageRow)[];

const POINTER = [
  "conversation_id",
  "user_id",
  "role",
  "delivered_seq",
  "read_seq",
  "read_inbound",
  "read_outbound",
] as const satisfies (keyof ParticipantChange)[];

function conversation({ row, version, dirty, assigneeWasActive }: UnitOfWork): CompositeValue[] {
  return [row.id, version, assigneeWasActive, dirty, ...CONVERSATION.map((column) => row[column])];
}

function logged({ event }: { event: EventRow }): CompositeValue[] {
  const { conversation_id, seq, type, message_id, is_private, payload, created_at } = event;
  const json = JSON.stringify(payload);
  return [conversation_id, seq, type, message_id, is_private, json, created_at];
}

const message = (row: MessageRow) => MESSAGE.map((column): CompositeValue => row[column]);
const pointer = (row: ParticipantChange) => POINTER.map((column): CompositeValue => row[column]);
