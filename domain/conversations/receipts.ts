/**
 * Receipts: moves of pointers as events between those of the log. Pointers are state, so only the last
 * move of each is kept; it includes all earlier ones.
 */
import { sql } from "kysely";
import type { CompositeValue } from "../../db/composites.ts";
import type { Db } from "../../db/database.ts";
import type { ReceiptRow } from "../../db/types.ts";
import type { Receipt } from "../../protocol/native.ts";
import type { ReceiptChange, UnitOfWork } from "./unit_of_work.ts";

/** A receipt as it was stored. */
export interface StoredReceipt extends Pick<ReceiptRow, "conversation_id" | "role" | "event"> {
  number: number;
  message_id: string | null;
}

/** Rows of `batch_receipt`, and the changes in the same order. */
export interface PositionedReceipts {
  rows: CompositeValue[][];
  changes: { conversationId: string; change: ReceiptChange }[];
}

/**
 * Positions the receipts of a batch after all its events, which is the order in which they are
 * announced. The conversations are locked when they are stored, so their numbers have no gaps.
 */
export function positionReceipts(all: Iterable<UnitOfWork>): PositionedReceipts {
  const positioned: PositionedReceipts = { rows: [], changes: [] };
  for (const { row: { id, last_seq }, receipts } of all) {
    let nth = 0;
    // Person by person, as they are announced.
    const changes = Map.groupBy(receipts.values(), (change) => change.userId);
    for (const change of [...changes.values()].flat()) {
      const { role, event, seq, userId, createdAt } = change;
      change.at = last_seq;
      positioned.rows.push([id, role, event, ++nth, last_seq, seq, userId, createdAt]);
      positioned.changes.push({ conversationId: id, change });
    }
  }
  return positioned;
}

/** Sets the number and the message of each change from the stored row. */
export function assignNumbers(
  changes: PositionedReceipts["changes"],
  stored: readonly StoredReceipt[],
): void {
  const byKey = new Map(
    stored.map((row) => [`${row.conversation_id} ${row.role} ${row.event}`, row]),
  );
  for (const { conversationId, change } of changes) {
    const { number, message_id } = byKey.get(`${conversationId} ${change.role} ${change.event}`)!;
    change.number = number;
    change.messageId = message_id;
  }
}

/** The last move of each pointer, at most four, in the order in which they happened. */
export async function receiptsOf(db: Db, conversationId: string): Promise<ReceiptRow[]> {
  return await db.selectFrom("conversation_receipts").selectAll()
    .where("conversation_id", "=", conversationId).orderBy("number").execute();
}

/** The same of each of these conversations, in their order. */
export async function receiptsOfAll(db: Db, conversationIds: string[]): Promise<ReceiptRow[][]> {
  const rows = await db.selectFrom("conversation_receipts").selectAll()
    .where(sql<boolean>`conversation_id = any(${conversationIds}::uuid[])`)
    .orderBy("number").execute();
  const byId = Map.groupBy(rows, (row) => row.conversation_id);
  return conversationIds.map((id) => byId.get(id) ?? []);
}

export function toReceipt({ event, seq, number, at_seq, created_at }: ReceiptRow): Receipt {
  return { event, seq, number, at: at_seq, createdAt: created_at.toISOString() };
}

/** The moves of one person in a batch, in their order. */
export function receiptsBy(
  { receipts }: UnitOfWork,
  userId: string,
): (Receipt & { messageId: string | null })[] {
  return [...receipts.values()].filter((change) => change.userId === userId)
    .sort((a, b) => a.number - b.number)
    .map(({ event, seq, number, at, createdAt, messageId }) => ({
      messageId,
      event,
      seq,
      number,
      at,
      createdAt: createdAt.toISOString(),
    }));
}
