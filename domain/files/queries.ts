/** Queries of files, one function each. */
import { sql } from "kysely";
import type { Db } from "../../db/database.ts";
import type { FileRow } from "../../db/types.ts";
import { uuidv7 } from "../../db/uuid.ts";
import type { MessageFile } from "../../protocol/model.ts";
import type { Caller } from "../principal.ts";

/** To whom an upload belongs until it is sent: an agent, a contact or an API key. */
export interface Uploader {
  kind: "agent" | "visitor" | "program";
  id: string;
}

/** Files that a new message is to have, and whose they are. */
export interface SentFiles {
  ids: readonly string[];
  uploader: Uploader;
}

export const uploaderOf = ({ kind, userId: id }: Caller): Uploader => ({ kind, id });

export function toMessageFile(row: FileRow): MessageFile {
  return {
    id: row.id,
    name: row.name,
    mediaType: row.media_type,
    size: Number(row.size),
    ...(row.width === null || row.height === null ? {} : { width: row.width, height: row.height }),
    ...(row.duration_ms === null ? {} : { durationMs: row.duration_ms }),
  };
}

/**
 * The row of an upload: a new one, or that of an earlier attempt. One that was not finished belongs to
 * this attempt from now on.
 */
export async function beginUpload(
  db: Db,
  { kind, id }: Uploader,
  upload: { uploadId: string; name: string; storageKey: string },
): Promise<FileRow> {
  const { rows: [row] } = await sql<FileRow>`
    insert into files as f (id, uploader_kind, uploader_id, upload_id, storage_key, name)
    values (${uuidv7()}, ${kind}, ${id}, ${upload.uploadId}, ${upload.storageKey}, ${upload.name})
    on conflict (uploader_kind, uploader_id, upload_id) do update set
      storage_key = case f.state when 'stored' then f.storage_key else excluded.storage_key end,
      name = case f.state when 'stored' then f.name else excluded.name end
    returning f.*`.execute(db);
  return row!;
}

/** null: another attempt has taken the upload, or it was deleted. */
export async function finishUpload(
  db: Db,
  row: FileRow,
  found: {
    mediaType: string;
    size: number;
    width: number | null;
    height: number | null;
    durationMs: number | null;
  },
): Promise<FileRow | null> {
  return await db.updateTable("files").set({
    state: "stored",
    media_type: found.mediaType,
    size: found.size,
    width: found.width,
    height: found.height,
    duration_ms: found.durationMs,
  }).where("id", "=", row.id).where("state", "=", "uploading")
    .where("storage_key", "=", row.storage_key).returningAll().executeTakeFirst() ?? null;
}

/** Forgets an attempt that failed, unless another one has taken the upload. Its bytes follow. */
export async function dropUpload(db: Db, row: FileRow): Promise<void> {
  await db.deleteFrom("files").where("id", "=", row.id).where("state", "=", "uploading")
    .where("storage_key", "=", row.storage_key).execute();
}

/** Bytes that have no row any more, or never had one. */
export async function noteRemoval(db: Db, storageKey: string): Promise<void> {
  await sql`insert into file_removals (storage_key) values (${storageKey})
    on conflict do nothing`.execute(db);
}

/** Bytes that somebody uploaded within a time, and when the first of them came. */
export async function uploadedSince(
  db: Db,
  { kind, id }: Uploader,
  ms: number,
): Promise<{ bytes: number; firstAt: Date | null }> {
  const { rows: [row] } = await sql<{ bytes: number; firstAt: Date | null }>`
    select coalesce(sum(size), 0)::float8 as bytes, min(created_at) as "firstAt" from files
    where uploader_kind = ${kind} and uploader_id = ${id}
      and created_at > now() - ${ms} * interval '1 millisecond'`.execute(db);
  return row!;
}

export interface FileWithConversation extends FileRow {
  /** Of the message's conversation; null where it was not sent. */
  contact_id: string | null;
  context_id: string | null;
  is_private: boolean | null;
}

/** Those that are stored, in no order. */
export async function findFiles(db: Db, ids: readonly string[]): Promise<FileWithConversation[]> {
  const { rows } = await sql<FileWithConversation>`
    select f.*, c.contact_id, c.context_id, m.is_private from files f
      left join chat_messages m on m.id = f.message_id
      left join conversations c on c.id = m.conversation_id
    where f.id = any(${ids}::uuid[]) and f.state = 'stored'`.execute(db);
  return rows;
}

/** Deletes uploads that no message got; returns how many. */
export async function deleteUnsent(db: Db, keepMs: number, limit: number): Promise<number> {
  const { numAffectedRows = 0n } = await sql`delete from files where id in (
      select id from files
      where message_id is null and created_at < now() - ${keepMs} * interval '1 millisecond'
      order by created_at limit ${limit} for update skip locked
    )`.execute(db);
  return Number(numAffectedRows);
}

/** Keys of bytes to be removed, which no other node takes for a while. */
export async function takeRemovals(db: Db, forMs: number, limit: number): Promise<string[]> {
  const { rows } = await sql<{ key: string }>`
    update file_removals set taken_until = now() + ${forMs} * interval '1 millisecond'
    where storage_key in (
      select storage_key from file_removals where taken_until < now()
      limit ${limit} for update skip locked
    ) returning storage_key as key`.execute(db);
  return rows.map(({ key }) => key);
}

export async function forgetRemovals(db: Db, keys: readonly string[]): Promise<void> {
  await sql`delete from file_removals where storage_key = any(${keys}::text[])`.execute(db);
}
