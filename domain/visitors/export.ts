/**
 * All data of a person as a ZIP archive: `person.json` with their rows, and the bytes of their files.
 * It has what `eraseContact` (erasure.ts) deletes, of the contact and of those merged with it.
 */
import { sql } from "kysely";
import type { Db } from "../../db/database.ts";
import type { ContactRow, FileRow } from "../../db/types.ts";
import { ParleyError } from "../../protocol/errors.ts";
import { type Actor, audit } from "../audit.ts";
import { textOf } from "../collaboration/document.ts";
import { loadDocuments } from "../collaboration/storage.ts";
import type { ZipEntry } from "../files/zip.ts";
import { groupOf } from "./groups.ts";

/** Rows that are read at a time. */
const PAGE = 500;
/** An archive without ZIP64 has less. */
const MAX_BYTES = 0xffff_ffff - 64 * 1024 * 1024;

/** What an export is made of; `name` is for the file. */
export interface PersonExport {
  name: string;
  entries(): AsyncGenerator<ZipEntry>;
}

/**
 * @param read the bytes of a file, null where there are none
 * @throws {ParleyError} `not_found`; `too_large` for files of more than 4 GB.
 */
export async function exportContact(
  db: Db,
  actor: Actor,
  contactId: string,
  read: (storageKey: string) => Promise<ReadableStream<Uint8Array> | null>,
): Promise<PersonExport> {
  const members = await groupOf(db, contactId);
  const ids = members.map(({ id }) => id);
  const files = await filesOf(db, ids);
  if (files.reduce((sum, { size }) => sum + Number(size), 0) > MAX_BYTES) {
    throw new ParleyError("too_large", "Cannot export the data: the files have more than 4 GB");
  }
  const [root] = members as [ContactRow];
  await audit(db, actor, {
    action: "contact.exported",
    subject: { id: root.id, name: root.name },
  });
  return {
    name: `contact-${root.id}.zip`,
    async *entries() {
      yield { name: "person.json", content: jsonOf(db, members, files) };
      for (const file of files) {
        const content = await read(file.storage_key);
        if (content !== null) yield { name: pathOf(file), content };
      }
    },
  };
}

const pathOf = ({ id, name }: FileRow) => `files/${id}/${name.replaceAll(/[/\\]/g, "_")}`;

/** What they uploaded, and all files of their own conversations. */
async function filesOf(db: Db, ids: string[]): Promise<FileRow[]> {
  const { rows } = await sql<FileRow>`select f.* from files f
    where f.state = 'stored' and (
      (f.uploader_kind = 'visitor' and f.uploader_id = any(${ids}::uuid[]))
      or f.conversation_id in (
        select id from conversations where contact_id = any(${ids}::uuid[])))
    order by f.id`.execute(db);
  return rows;
}

function jsonOf(db: Db, members: ContactRow[], files: FileRow[]): ReadableStream<Uint8Array> {
  return ReadableStream.from(parts(db, members, files)).pipeThrough(new TextEncoderStream());
}

async function* parts(
  db: Db,
  members: ContactRow[],
  files: FileRow[],
): AsyncGenerator<string> {
  const ids = members.map(({ id }) => id);
  const head = {
    exportedAt: new Date().toISOString(),
    contacts: members,
    identities: await rowsOf(db, "contact_identities", ids),
    // Without the secret's hash, which is nothing about the person.
    sessions: (await rowsOf(db, "chat_sessions", ids)).map(({ session_id: _, ...rest }) => rest),
    pages: await rowsOf(db, "contact_pages", ids),
    notes: await notesOf(db, ids),
    conversations: await conversationsOf(db, ids),
    files: files.map((file) => ({
      path: pathOf(file),
      mediaType: file.media_type,
      size: Number(file.size),
      conversationId: file.conversation_id,
      messageId: file.message_id,
      createdAt: file.created_at,
    })),
  };
  yield `${JSON.stringify(head, null, 2).slice(0, -2)},\n  "messages": [`;
  let separator = "\n";
  for await (const message of messagesOf(db, ids)) {
    yield `${separator}    ${JSON.stringify(message)}`;
    separator = ",\n";
  }
  yield "\n  ]\n}\n";
}

type Table = "contact_identities" | "chat_sessions" | "contact_pages";

async function rowsOf(db: Db, table: Table, ids: string[]): Promise<Record<string, unknown>[]> {
  const { rows } = await sql<Record<string, unknown>>`select * from ${sql.table(table)}
    where contact_id = any(${ids}::uuid[]) order by id`.execute(db);
  return rows;
}

async function notesOf(db: Db, ids: string[]): Promise<{ contactId: string; text: string }[]> {
  const rows = await db.selectFrom("collaboration_documents").select(["id", "subject_id"])
    .where("kind", "=", "contact").where("subject_id", "in", ids).execute();
  const documents = await loadDocuments(db, rows.map(({ id }) => id));
  return rows.flatMap(({ id, subject_id: contactId }) => {
    const document = documents.get(id);
    return document === undefined ? [] : [{ contactId, text: textOf(document) }];
  });
}

async function conversationsOf(db: Db, ids: string[]): Promise<Record<string, unknown>[]> {
  const { rows } = await sql<Record<string, unknown>>`
    select c.id, c.contact_id, c.platform, c.context_id, c.status, c.created_at, c.resolved_at,
      c.last_activity_at,
      (select coalesce(json_agg(l.name order by l.name), '[]') from conversation_labels cl
        join labels l on l.id = cl.label_id where cl.conversation_id = c.id) as labels,
      (select coalesce(json_agg(json_build_object('rating', r.rating, 'comment', r.comment,
        'created_at', r.created_at) order by r.resolved_seq), '[]')
        from conversation_ratings r where r.conversation_id = c.id) as ratings
    from conversations c where c.contact_id = any(${ids}::uuid[]) order by c.id`.execute(db);
  return rows;
}

/** All messages of their own conversations, and their own ones of conversations of others. */
async function* messagesOf(db: Db, ids: string[]): AsyncGenerator<Record<string, unknown>> {
  let after = "00000000-0000-0000-0000-000000000000";
  while (true) {
    const { rows } = await sql<Record<string, unknown> & { id: string }>`
      select m.id, m.conversation_id, m.seq, m.sender_id, m.sender_role, m.sender_name, m.type,
        m.content, m.files, m.reply_to_id, m.is_private, m.platform, m.created_at, m.edited_at,
        m.deleted_at, case when c.contact_id = any(${ids}::uuid[]) then m.reactions end as reactions
      from chat_messages m join conversations c on c.id = m.conversation_id
      where m.id > ${after}::uuid and (c.contact_id = any(${ids}::uuid[])
        or (m.sender_id = any(${ids}::text[]) and c.id in (
          select conversation_id from participants where user_id = any(${ids}::uuid[]))))
      order by m.id limit ${PAGE}`.execute(db);
    yield* rows;
    if (rows.length < PAGE) return;
    after = rows.at(-1)!.id;
  }
}
