/**
 * Moves of pointers as events with a place between those of the log. Pointers are state, so only the
 * last move of each is kept; what an older one said is said by the newer one, too.
 */
import { sql } from "kysely";
import type { Db } from "../../db/database.ts";
import type { ReceiptRow } from "../../db/types.ts";
import type { Receipt } from "../../protocol/native.ts";
import type { ReceiptChange, Working } from "./working.ts";

/** How far back the message is looked for that a move is about, in events of the log. */
const LOOK_BACK = 1000;

/**
 * Stores the moves of a batch and gives them their place: after every event of the batch, which is
 * how they are told. The rows of the conversations are locked, so the numbers have no gap.
 */
export async function storeReceipts(trx: Db, all: Iterable<Working>): Promise<void> {
  const moved: { change: ReceiptChange; row: Omit<ReceiptRow, "number"> & { nth: number } }[] = [];
  for (const { row: { id, last_seq }, receipts } of all) {
    let nth = 0;
    // One person after the other, as they are told.
    const changes = Map.groupBy(receipts.values(), (change) => change.userId);
    for (const change of [...changes.values()].flat()) {
      const { role, event, seq, userId, createdAt } = change;
      change.at = last_seq;
      const common = { role, event, seq, user_id: userId, created_at: createdAt };
      moved.push({ change, row: { conversation_id: id, ...common, at_seq: last_seq, nth: ++nth } });
    }
  }
  if (moved.length === 0) return;
  type Key = Pick<ReceiptRow, "conversation_id" | "role" | "event">;
  const { rows } = await sql<Key & { number: number; message_id: string | null }>`
    insert into conversation_receipts as r
      (conversation_id, role, event, number, at_seq, seq, user_id, created_at)
    select x.conversation_id, x.role, x.event,
      x.nth + coalesce((select max(known.number) from conversation_receipts known
        where known.conversation_id = x.conversation_id), 0),
      x.at_seq, x.seq, x.user_id, x.created_at
    from jsonb_to_recordset(${JSON.stringify(moved.map(({ row }) => row))}::jsonb) as x(
      conversation_id uuid, role text, event text, nth integer, at_seq bigint, seq bigint,
      user_id uuid, created_at timestamptz)
    on conflict (conversation_id, role, event) do update set number = excluded.number,
      at_seq = excluded.at_seq, seq = excluded.seq, user_id = excluded.user_id,
      created_at = excluded.created_at
    returning r.conversation_id, r.role, r.event, r.number, (
      select m.id from chat_messages m
      where m.conversation_id = r.conversation_id and m.seq <= r.seq
        and m.seq > r.seq - ${LOOK_BACK}::integer and m.type = 'text' and not m.is_private
        and (m.sender_role = 'visitor') = (r.role = 'agent')
      order by m.seq desc limit 1
    ) as message_id`.execute(trx);
  const keyOf = (row: Key) => `${row.conversation_id} ${row.role} ${row.event}`;
  const stored = new Map(rows.map((row) => [keyOf(row), row]));
  for (const { change, row } of moved) {
    const { number, message_id } = stored.get(keyOf(row))!;
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
  { receipts }: Working,
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
