/**
 * The writer's statements: load everything that a batch touches, store everything that it changed.
 * Those that repeat are functions of the database (db/migrations/002_store_functions.ts), so that a
 * session plans them once.
 */
import { sql } from "kysely";
import type { Db } from "../../db/database.ts";
import type { MessageRow } from "../../db/types.ts";
import { selectConversations } from "./queries.ts";
import { clientKey, type Operation, type Working } from "./operations.ts";

/** Loads and locks the conversations of a batch, in the order of their ids so that nodes cannot deadlock. */
export async function loadWorking(
  trx: Db,
  operations: readonly Operation[],
): Promise<Map<string, Working>> {
  const ids = [...new Set(operations.map((operation) => operation.conversationId))];
  const rows = await selectConversations(trx).where("c.id", "in", ids)
    .orderBy("c.id").forUpdate("c").execute();
  const result = new Map<string, Working>(rows.map((row) => [row.id, {
    row,
    dirty: false,
    messages: new Map(),
    byClientId: new Map(),
    newMessages: [],
    changedMessages: new Set(),
    events: [],
    participants: new Map(),
    pointed: new Set(),
    receipts: new Map(),
  }]));
  for (const message of await loadMessages(trx, operations)) {
    const working = result.get(message.conversation_id);
    if (working === undefined) continue;
    working.messages.set(message.id, message);
    if (message.client_message_id !== null) {
      working.byClientId.set(clientKey(message.sender_id, message.client_message_id), message);
    }
  }
  return result;
}

/** Messages that the operations name, and those that were sent before with the same client id. */
async function loadMessages(trx: Db, operations: readonly Operation[]): Promise<MessageRow[]> {
  const ids: string[] = [];
  const sent: { c: string; s: string; m: string }[] = [];
  for (const operation of operations) {
    if (operation.kind === "edit" || operation.kind === "delete") ids.push(operation.messageId);
    if (operation.kind === "message" && operation.clientMessageId !== null) {
      const { conversationId, actor, clientMessageId } = operation;
      sent.push({ c: conversationId, s: actor.userId, m: clientMessageId });
    }
  }
  const rows: MessageRow[] = [];
  if (ids.length > 0) {
    rows.push(
      ...await trx.selectFrom("chat_messages").selectAll().where("id", "in", ids).execute(),
    );
  }
  if (sent.length > 0) {
    const known = await sql<MessageRow>`
      select * from known_messages(${JSON.stringify(sent)}::jsonb)`.execute(trx);
    rows.push(...known.rows);
  }
  return rows;
}

export interface StoredPointer {
  conversation_id: string;
  user_id: string;
  role: "agent" | "visitor";
  delivered_seq: number;
  read_seq: number;
  read_inbound: number;
  read_outbound: number;
}

/** Stores a whole batch in one statement; returns where each participant now stands. */
export async function storeWorking(
  trx: Db,
  all: Iterable<Working>,
): Promise<StoredPointer[]> {
  const touched = [...all];
  const rows = touched.filter((working) => working.dirty).map((working) => working.row);
  const created = touched.flatMap((working) => working.newMessages);
  const changed = touched.flatMap((working) =>
    [...working.changedMessages].filter((message) => !working.newMessages.includes(message))
  );
  const events = touched.flatMap((working) => working.events.map(({ event }) => event));
  const participants = touched.flatMap((working) => [...working.participants.values()]);
  if (rows.length + changed.length + participants.length === 0) return [];
  const json = JSON.stringify;
  const result = await sql<StoredPointer>`
    select * from store_batch(${json(rows)}::jsonb, ${json(created)}::jsonb,
      ${json(changed)}::jsonb, ${json(events)}::jsonb, ${json(participants)}::jsonb)`
    .execute(trx);
  return result.rows;
}
