/**
 * The writer's statements: load everything that a batch touches, store everything that it changed.
 * Those that repeat are functions of the database (db/migrations/002_store_functions.ts), so that a
 * session plans them once.
 */
import { sql } from "kysely";
import type { Db } from "../../db/database.ts";
import type { MessageRow } from "../../db/types.ts";
import { type LabelFound, loadLabels, storeLabels, toLabels } from "./label_storage.ts";
import { clientKey, type Operation, type Working } from "./working.ts";
import { selectUnlabelled } from "./queries.ts";

/**
 * Loads and locks the conversations of a batch, in the order of their ids so that nodes cannot
 * deadlock.
 *
 * @param wait false: those that somebody else has locked are left out, and named
 */
export async function loadWorking(
  trx: Db,
  all: readonly Operation[],
  wait: boolean,
): Promise<{ all: Map<string, Working>; locked: Set<string> }> {
  const ids = [...new Set(all.map((operation) => operation.conversationId))];
  const rows = await selectUnlabelled(trx).where("c.id", "in", ids)
    .orderBy("c.id").forUpdate("c").$if(!wait, (qb) => qb.skipLocked()).execute();
  const locked = new Set<string>();
  if (!wait && rows.length < ids.length) {
    const loaded = new Set(rows.map(({ id }) => id));
    const missing = await trx.selectFrom("conversations").select("id")
      .where("id", "in", ids.filter((id) => !loaded.has(id))).execute();
    for (const { id } of missing) locked.add(id);
  }
  const operations = locked.size === 0
    ? all
    : all.filter(({ conversationId }) => !locked.has(conversationId));
  const result = new Map<string, Working>(rows.map((row) => [row.id, {
    // Those of them that are announced get theirs when they are stored.
    row: { ...row, labels: [] },
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
  }]));
  await loadLabels(trx, result, operations);
  for (const message of await loadMessages(trx, operations)) {
    const working = result.get(message.conversation_id);
    if (working === undefined) continue;
    working.messages.set(message.id, message);
    if (message.client_message_id !== null) {
      working.byClientId.set(clientKey(message.sender_id, message.client_message_id), message);
    }
  }
  return { all: result, locked };
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

export interface Stored {
  pointers: StoredPointer[];
  /** The transaction, by which it can be asked how it ended; null: it wrote nothing. */
  xid: string | null;
}

/**
 * Stores a whole batch in one statement; returns where each participant now stands. The same
 * statement reads the labels of those conversations that have news to be told: it began after they
 * were locked, so they are as they will be told.
 */
export async function storeWorking(
  trx: Db,
  all: Iterable<Working>,
): Promise<Stored> {
  const touched = [...all];
  const rows = touched.filter((working) => working.dirty).map((working) => working.row);
  const created = touched.flatMap((working) => working.newMessages);
  const changed = touched.flatMap((working) =>
    [...working.changedMessages].filter((message) => !working.newMessages.includes(message))
  );
  const events = touched.flatMap((working) => working.events.map(({ event }) => event));
  const participants = touched.flatMap((working) => [...working.participants.values()]);
  if (rows.length + changed.length + participants.length === 0) return { pointers: [], xid: null };
  await storeLabels(trx, touched);
  const logged = touched.filter((working) => working.events.length > 0);
  const json = JSON.stringify;
  const { rows: [stored] } = await sql<Stored & { labels: LabelFound[] }>`
    select (
      select coalesce(json_agg(p), '[]') from store_batch(${json(rows)}::jsonb,
        ${json(created)}::jsonb, ${json(changed)}::jsonb, ${json(events)}::jsonb,
        ${json(participants)}::jsonb) p
    ) as pointers, (
      select coalesce(json_agg(l), '[]')
      from labels_of(${logged.map(({ row }) => row.id)}::uuid[]) l
    ) as labels, txid_current()::text as xid`.execute(trx);
  const labels = Map.groupBy(stored!.labels, (label) => label.conversation_id);
  for (const { row } of logged) row.labels = toLabels(labels.get(row.id));
  return { pointers: stored!.pointers, xid: stored!.xid };
}
