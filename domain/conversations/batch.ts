/** One batch of changes as one call of the database (db/migrations/030_write_batch.ts). */
import { sql } from "kysely";
import { type CompositeValue, toComposites } from "../../db/composites.ts";
import type { Db } from "../../db/database.ts";
import { DatabaseUnavailable } from "../../db/database_error.ts";
import type { EventRow, MessageRow } from "../../db/types.ts";
import { type LabelFound, toLabels } from "./label_storage.ts";
import { placeReceipts, type StoredReceipt, takeReceipts } from "./receipts.ts";
import { listMoves, type MessageStatuses, toStatuses } from "./statuses.ts";
import { readKnown } from "./storage.ts";
import { beginWork, type ParticipantChange, type Working } from "./working.ts";

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
  /** The transaction, by which it can be asked how it ended; null: it wrote nothing. */
  xid: string | null;
}

/** Nothing was stored, because of these conversations. */
export interface NotStored {
  /** They are not as they were read, or locked by somebody else. */
  stale: string[];
  /** They have messages with these client ids already. */
  known: string[];
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
 * Stores everything that was changed in these conversations, or nothing. Their rows get what others
 * may have changed of what is told with them: names and labels, as of after they were locked.
 *
 * @param maxStatuses messages of one move of a pointer whose new status is told, at most
 */
export async function writeBatch(
  db: Db,
  all: readonly Working[],
  maxStatuses: number,
): Promise<Stored | NotStored> {
  const receipts = placeReceipts(all);
  const moves = listMoves(all);
  const parameter = (type: string, rows: readonly (readonly CompositeValue[])[]) =>
    sql`${toComposites(rows)}::${sql.raw(type)}[]`;
  const { rows: [row] } = await sql<{ answer: Answer }>`select write_batch(
    ${parameter("batch_conversation", all.map(conversation))},
    ${parameter("batch_message", all.flatMap(({ newMessages }) => newMessages.map(message)))},
    ${parameter("batch_event", all.flatMap(({ events }) => events.map(logged)))},
    ${
    parameter("batch_pointer", all.flatMap((one) => [...one.participants.values()].map(pointer)))
  },
    ${parameter("batch_receipt", receipts.rows)},
    ${parameter("batch_move", moves.rows)},
    ${maxStatuses}::integer) as answer`.execute(db);
  const { answer } = row!;
  if (answer.stale !== undefined || answer.known !== undefined) {
    return { stale: answer.stale ?? [], known: answer.known ?? [] };
  }
  takeReceipts(receipts.changes, answer.receipts ?? []);
  takeNames(all, answer);
  for (const working of all) {
    // The row is of this transaction now; a row's xmin is the lower half of its number.
    if (working.dirty) working.version = String(BigInt(answer.xid!) & 0xffff_ffffn);
  }
  return {
    pointers: answer.pointers ?? [],
    statuses: toStatuses(moves.moves, answer.statuses ?? []),
    xid: answer.xid,
  };
}

/**
 * Whether a batch was stored by a call that was not answered. It asks for good: the call may still
 * be on its way, and finds a row of another version from now on.
 *
 * @throws {DatabaseUnavailable} while it is at work, or the database is away.
 */
export async function wasStored(db: Db, all: readonly Working[]): Promise<boolean> {
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
 * What the call would have answered, of a batch that was stored; see `wasStored`.
 *
 * @throws {DatabaseUnavailable} while others are changing the same, or the database is away.
 */
export async function readAnswer(
  db: Db,
  all: readonly Working[],
  maxStatuses: number,
): Promise<Stored> {
  const versions = new Map(
    (await readKnown(db, all.map(({ row }) => row.id))).map((one) => [one.row.id, one]),
  );
  const again = all.flatMap((working): Working[] => {
    const now = versions.get(working.row.id);
    if (now === undefined) return [];
    const { assigneeWasActive } = beginWork(now);
    const stored = { dirty: false, newMessages: [], events: [] };
    return [{ ...working, ...stored, version: now.version, assigneeWasActive }];
  });
  const answer = await writeBatch(db, again, maxStatuses);
  if ("pointers" in answer) return answer;
  throw new DatabaseUnavailable("lock_timeout", new Error("The conversations are being changed"));
}

function takeNames(all: readonly Working[], { names, labels }: Answer): void {
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

function conversation({ row, version, dirty, assigneeWasActive }: Working): CompositeValue[] {
  return [
    row.id,
    version,
    assigneeWasActive,
    dirty,
    row.status,
    row.assignee_id,
    row.last_seq,
    row.inbound_count,
    row.outbound_count,
    row.agent_delivered_seq,
    row.agent_read_seq,
    row.contact_delivered_seq,
    row.contact_read_seq,
    row.last_message_seq,
    row.last_message_preview,
    row.last_message_role,
    row.last_message_sender_id,
    row.last_message_sender_name,
    row.last_message_private,
    row.last_message_at,
    row.last_activity_at,
    row.waiting_since,
    row.updated_at,
    row.resolved_at,
  ];
}

function message(row: MessageRow): CompositeValue[] {
  return [
    row.id,
    row.conversation_id,
    row.seq,
    row.session_id,
    row.client_message_id,
    row.sender_id,
    row.sender_role,
    row.sender_name,
    row.type,
    row.content,
    row.is_private,
    row.platform,
    row.inbound_count,
    row.outbound_count,
    row.created_at,
  ];
}

function logged({ event }: { event: EventRow }): CompositeValue[] {
  return [
    event.conversation_id,
    event.seq,
    event.type,
    event.message_id,
    event.is_private,
    JSON.stringify(event.payload),
    event.created_at,
  ];
}

function pointer(change: ParticipantChange): CompositeValue[] {
  return [
    change.conversation_id,
    change.user_id,
    change.role,
    change.delivered_seq,
    change.read_seq,
    change.read_inbound,
    change.read_outbound,
  ];
}
