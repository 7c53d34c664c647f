/** Files of messages, and other rare parts of theirs: loaded and locked with their batch, and stored with their message. */
import { sql } from "kysely";
import type { Db } from "../../db/database.ts";
import type { FileRow, MessageRow } from "../../db/types.ts";
import { ParleyError } from "../../protocol/errors.ts";
import type { MessageFile } from "../../protocol/model.ts";
import { type SentFiles, toMessageFile } from "../files/queries.ts";
import type { Operation, UnitOfWork } from "./unit_of_work.ts";

/** Locks the files that operations send, in the order of their ids. */
export async function loadFiles(
  trx: Db,
  units: ReadonlyMap<string, UnitOfWork>,
  operations: readonly Operation[],
): Promise<void> {
  const ids = operations.flatMap((one) => one.kind === "message" ? one.files?.ids ?? [] : []);
  if (ids.length === 0) return;
  const rows = await trx.selectFrom("files").selectAll().where("id", "in", ids)
    .where("message_id", "is", null).where("state", "=", "stored")
    .orderBy("id").forUpdate().execute();
  // The same for all conversations of the batch, so that no two of them take one.
  const files = new Map(rows.map((row) => [row.id, row]));
  for (const unit of units.values()) unit.files = files;
}

/**
 * What the message shows of its files, which nobody else can send any more.
 *
 * @throws {ParleyError} `invalid` with the ids that are not the sender's, or were sent before.
 */
export function takeFiles(unit: UnitOfWork, { ids, uploader }: SentFiles): MessageFile[] {
  const isTheirs = (file: FileRow | undefined) =>
    file?.uploader_kind === uploader.kind && file.uploader_id === uploader.id;
  const missing = ids.flatMap((id, i) => isTheirs(unit.files.get(id)) ? [] : [{ id, i }]);
  const [first] = missing;
  if (first !== undefined) {
    throw new ParleyError(
      "invalid",
      `Cannot send: there is no file "${first.id}" that you could send`,
      {
        fields: missing.map(({ i }) => ({
          path: `fileIds.${i}`,
          message: "must be a file that you have uploaded and not sent yet",
        })),
      },
    );
  }
  return ids.map((id) => {
    const file = toMessageFile(unit.files.get(id)!);
    unit.files.delete(id);
    return file;
  });
}

/** Whether it has a column that `write_batch` does not store: that of most messages is null. */
export const hasRareParts = (row: MessageRow): boolean =>
  [row.files, row.formatted, row.reply_to_id, row.reactions].some((part) => part !== null);

const json = (value: unknown) => value === null ? null : JSON.stringify(value);

/** Stores new messages that have rare parts; `write_batch` stores all others. */
export async function storeRareMessages(trx: Db, messages: readonly MessageRow[]): Promise<void> {
  if (messages.length === 0) return;
  await trx.insertInto("chat_messages")
    .values(
      messages.map(({ quoted: _, ...row }) => ({
        ...row,
        files: json(row.files),
        formatted: json(row.formatted),
        reactions: json(row.reactions),
      })),
    ).execute();
  for (const { id, conversation_id, files } of messages) {
    if (files === null) continue;
    await trx.updateTable("files").set({ message_id: id, conversation_id })
      .where("id", "in", files.map((file) => file.id)).execute();
  }
}

/** Deletes the files of messages that were deleted. Their bytes follow. */
export async function deleteFiles(trx: Db, messages: readonly MessageRow[]): Promise<void> {
  const ids = messages.filter(({ deleted_at, files }) => deleted_at !== null && files !== null)
    .map(({ id }) => id);
  if (ids.length === 0) return;
  await sql`update chat_messages set files = null where id = any(${ids}::uuid[])`.execute(trx);
  await sql`delete from files where message_id = any(${ids}::uuid[])`.execute(trx);
}
