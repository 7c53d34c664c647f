/** The writer's statements except the one that stores a batch (batch.ts): reads, and rare changes. */
import { sql } from "kysely";
import type { Db } from "../../db/database.ts";
import type { MessageRow } from "../../db/types.ts";
import { cancelJob, insertJob } from "../jobs/storage.ts";
import { loadRoster, storeTurns } from "./roster.ts";
import { loadLabels, storeLabels } from "./label_storage.ts";
import { QUOTED } from "./replies.ts";
import { deleteFiles, hasRareParts, loadFiles, storeRareMessages } from "./message_files.ts";
import {
  beginUnitOfWork,
  clientKey,
  type Operation,
  type UnitOfWork,
  type VersionedRow,
} from "./unit_of_work.ts";
import { selectUnlabelled } from "./queries.ts";

function selectVersions(db: Db, ids: readonly string[]) {
  return selectUnlabelled(db).select(sql<string>`c.xmin::text`.as("version"))
    .where(sql<boolean>`c.id = any(${ids}::uuid[])`);
}

/** Current rows of conversations with their versions, without locks and without unknown ones. */
export async function readVersionedRows(db: Db, ids: readonly string[]): Promise<VersionedRow[]> {
  const rows = await selectVersions(db, ids).execute();
  return rows.map(({ version, ...row }) => ({ row: { ...row, labels: [] }, version }));
}

/**
 * Loads and locks the conversations of a batch, in the order of their ids so that nodes cannot
 * deadlock.
 *
 * @param wait false: conversations that somebody else has locked are returned as `locked`
 */
export async function loadUnitsOfWork(
  trx: Db,
  all: readonly Operation[],
  wait: boolean,
): Promise<{ all: Map<string, UnitOfWork>; locked: Set<string> }> {
  const ids = [...new Set(all.map((operation) => operation.conversationId))];
  const rows = await selectVersions(trx, ids)
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
  const result = new Map(rows.map(({ version, ...row }) => [
    row.id,
    // Labels are read when the batch is stored.
    beginUnitOfWork({ row: { ...row, labels: [] }, version }),
  ]));
  await loadLabels(trx, result, operations);
  await loadRoster(trx, result, operations);
  await loadFiles(trx, result, operations);
  for (const message of await loadMessages(trx, operations)) {
    const unit = result.get(message.conversation_id);
    if (unit === undefined) continue;
    unit.messages.set(message.id, message);
    if (message.client_message_id !== null) {
      unit.byClientId.set(clientKey(message.sender_id, message.client_message_id), message);
    }
  }
  return { all: result, locked };
}

/** Messages that the operations refer to, and those that were sent before with the same client id. */
async function loadMessages(trx: Db, operations: readonly Operation[]): Promise<MessageRow[]> {
  const ids: string[] = [];
  const sent: { c: string; s: string; m: string }[] = [];
  for (const operation of operations) {
    if ("messageId" in operation) ids.push(operation.messageId);
    if (operation.kind === "message" && operation.replyToId !== undefined) {
      ids.push(operation.replyToId);
    }
    if (operation.kind === "message" && operation.clientMessageId !== null) {
      const { conversationId, actor, clientMessageId } = operation;
      sent.push({ c: conversationId, s: actor.userId, m: clientMessageId });
    }
  }
  const rows: MessageRow[] = [];
  if (ids.length > 0) {
    rows.push(
      ...await trx.selectFrom("chat_messages as m").selectAll("m").select(QUOTED)
        .where("m.id", "in", ids).execute(),
    );
  }
  if (sent.length > 0) {
    const known = await sql<MessageRow>`
      select m.*, ${QUOTED} from known_messages(${JSON.stringify(sent)}::jsonb) m`.execute(trx);
    rows.push(...known.rows);
  }
  return rows;
}

/**
 * Stores what `writeBatch` does not: changed messages, new messages with files or markup, and
 * labels.
 * Called before it, because it reads the labels for the events.
 */
export async function storeRest(trx: Db, all: readonly UnitOfWork[]): Promise<void> {
  await storeLabels(trx, all);
  await storeRareMessages(trx, all.flatMap(({ newMessages }) => newMessages.filter(hasRareParts)));
  const changed = all.flatMap((unit) =>
    [...unit.changedMessages].filter((message) => !unit.newMessages.includes(message))
  );
  if (changed.length === 0) return;
  await deleteFiles(trx, changed);
  await sql`update chat_messages m set content = x.content, formatted = x.formatted,
      reactions = x.reactions, edited_at = x.edited_at, deleted_at = x.deleted_at
    from jsonb_populate_recordset(null::chat_messages, ${JSON.stringify(changed)}::jsonb) x
    where m.id = any(${changed.map(({ id }) => id)}::uuid[]) and m.id = x.id`.execute(trx);
}

/** The kind of the job that ends a snooze; its key is the conversation. See snoozing.ts. */
export const WAKE = "conversation.wake";

/**
 * Stores the columns that `writeBatch` does not, and the jobs that belong to them. Called after it,
 * because it gives the rows other versions before the commit.
 */
export async function storeColumns(trx: Db, all: readonly UnitOfWork[]): Promise<void> {
  await storeTurns(trx, all);
  for (const { row, changedColumns, snoozedBy } of all) {
    if (changedColumns.size === 0) continue;
    const values = Object.fromEntries([...changedColumns].map((name) => [name, row[name]]));
    await trx.updateTable("conversations").set(values).where("id", "=", row.id).execute();
    if (!changedColumns.has("snoozed_until")) continue;
    const at = row.snoozed_until;
    if (at === null) await cancelJob(trx, WAKE, row.id);
    else {
      const payload = {
        conversationId: row.id,
        until: at.toISOString(),
        ...(snoozedBy === null ? {} : { by: snoozedBy }),
      };
      await insertJob(trx, { kind: WAKE, key: row.id, payload, at });
    }
  }
}
