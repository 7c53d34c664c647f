/**
 * Redacts old changes before they are sent: texts that were deleted since, and messages that the
 * readers may no longer see.
 */
import { sql } from "kysely";
import type { Change, ChangedRow } from "../../db/change_feed.ts";
import type { Db } from "../../db/database.ts";
import type { TableName } from "../../protocol/tables.ts";
import type { Policy } from "./catalogue.ts";

export async function redact(
  db: Db,
  table: TableName,
  changes: Change[],
  policy: Policy,
): Promise<Change[]> {
  if (changes.length === 0) return changes;
  if (table === "chat_messages") return await redactMessages(db, changes, policy);
  return table === "conversations" ? await redactPreviews(db, changes) : changes;
}

async function redactMessages(db: Db, changes: Change[], policy: Policy): Promise<Change[]> {
  const ids = changes.map((change) => idOf(change));
  const { rows } = await sql<{ id: string; is_private: boolean; deleted_at: Date | null }>`
    select id, is_private, deleted_at from chat_messages
    where id in (select (jsonb_array_elements_text(${JSON.stringify(ids)}::jsonb))::uuid)`
    .execute(db);
  const now = new Map(rows.map((row) => [row.id, row]));
  return changes.flatMap((change) => {
    const row = now.get(idOf(change));
    if (row !== undefined && policy.only?.({ ...row }) === false) return [];
    if (row !== undefined && row.deleted_at === null) return [change];
    return [{ ...change, old: empty(change.old, "content"), new: empty(change.new, "content") }];
  });
}

/** A conversation has a preview of its last message. */
async function redactPreviews(db: Db, changes: Change[]): Promise<Change[]> {
  const { rows } = await sql<{ conversation_id: string; seq: number }>`
    select conversation_id, seq from chat_messages
    where deleted_at is null and (conversation_id, seq) in (
      select (r->>0)::uuid, (r->>1)::bigint
      from jsonb_array_elements(${JSON.stringify(lastMessagesOf(changes))}::jsonb) r)`.execute(db);
  const there = new Set(rows.map((row) => `${row.conversation_id} ${row.seq}`));
  const redacted = (row: ChangedRow | null) =>
    row === null || there.has(`${row["id"]} ${row["last_message_seq"]}`) ||
      row["last_message_preview"] === null
      ? row
      : empty(row, "last_message_preview");
  return changes.map((change) => ({
    ...change,
    old: redacted(change.old),
    new: redacted(change.new),
  }));
}

function lastMessagesOf(changes: readonly Change[]): [unknown, unknown][] {
  return changes.flatMap((change) => [change.old, change.new])
    .flatMap((row): [unknown, unknown][] =>
      row === null ? [] : [[row["id"], row["last_message_seq"]]]
    );
}

function idOf(change: Change): string {
  return String((change.new ?? change.old)?.["id"]);
}

function empty(row: ChangedRow | null, column: string): ChangedRow | null {
  return row === null ? null : { ...row, [column]: "" };
}
