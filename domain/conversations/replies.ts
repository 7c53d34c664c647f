/** Replies to messages, which show the beginning of what they reply to. */
import { sql } from "kysely";
import type { MessageRow, QuotedRow } from "../../db/types.ts";
import { ParleyError } from "../../protocol/errors.ts";
import type { Quote } from "../../protocol/model.ts";
import { describeFiles } from "../files/preview.ts";
import { formatText, textOf } from "../formatting/format_text.ts";

/** Characters of a preview. */
const PREVIEW = 200;
/** Characters that are read for it, with markup and spaces. */
const READ = 400;

/**
 * Of the message that a message `m` replies to; null where it replies to none, or that is gone. The
 * name is the current one, as in `SENDER_NOW`.
 */
export const QUOTED = sql<QuotedRow | null>`case when m.reply_to_id is not null then (
  select json_build_object('seq', q.seq, 'sender_id', q.sender_id, 'sender_role', q.sender_role,
    'sender_name', coalesce((
      select who.name from contacts who where q.sender_role = 'visitor' and who.id = case
        when q.sender_id ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' then q.sender_id::uuid end
    ), q.sender_name), 'content', left(q.content, ${sql.lit(READ)}), 'files', q.files,
    'is_deleted', q.deleted_at is not null)
  from chat_messages q where q.id = m.reply_to_id
) end`.as("quoted");

/** Without markup, in one line. */
export function previewOf({ content, formatted, files }: {
  content: string;
  formatted: MessageRow["formatted"];
  files: MessageRow["files"];
}): string {
  const line = (formatted === null ? content : textOf(formatted)).replace(/\s+/g, " ").trim();
  const text = line.length <= PREVIEW ? line : line.slice(0, PREVIEW).toWellFormed();
  return text || describeFiles(files ?? []);
}

export function toQuote({ seq, content, files, is_deleted, ...sender }: QuotedRow): Quote {
  return {
    seq,
    sender: {
      userId: sender.sender_id,
      userName: sender.sender_name,
      role: sender.sender_role,
    },
    preview: is_deleted ? "" : previewOf({ content, formatted: formatText(content), files }),
  };
}

/**
 * What a new message shows of the message that it replies to.
 *
 * @throws {ParleyError} `invalid` unless that is of the same conversation and visible to all readers
 */
export function takeQuoted(
  { messages }: { messages: ReadonlyMap<string, MessageRow> },
  id: string,
  { isPrivate, isVisitor }: { isPrivate: boolean; isVisitor: boolean },
): QuotedRow {
  const target = messages.get(id);
  const isThere = target?.type === "text" && !(isVisitor && target.is_private);
  if (isThere && (isPrivate || !target.is_private)) {
    return { ...target, is_deleted: target.deleted_at !== null };
  }
  const message = isThere
    ? "must not be a note: the contact would see it"
    : "must be a message of this conversation";
  throw new ParleyError("invalid", `Cannot send: "replyToId" ${message}`, {
    fields: [{ path: "replyToId", message }],
  });
}
