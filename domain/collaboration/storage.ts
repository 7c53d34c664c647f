import { sql, type Transaction } from "kysely";
import type { Db } from "../../db/database.ts";
import type { Database } from "../../db/types.ts";
import { type TextEdit, toOperation } from "../../protocol/text.ts";
import {
  append,
  type ClientMark,
  documentOf,
  type TakenEdit,
  type TextDocument,
  textOf,
} from "./document.ts";
import { type Subject, subjectId } from "./subjects.ts";

/** What stands of an edit in the database. */
interface OperationRow {
  version: number;
  client_id: string;
  client_seq: number | null;
  author_id: string;
  author_name: string;
  author_role: "agent" | "visitor";
  operation: TextEdit;
}

function toTaken(row: OperationRow): TakenEdit {
  return {
    version: row.version,
    edit: row.operation,
    author: { userId: row.author_id, userName: row.author_name, role: row.author_role },
    clientId: row.client_id,
    opId: row.client_seq,
  };
}

/** The documents of these ids as they are now: the snapshot and the edits since then. One query. */
export async function loadDocuments(
  db: Db | Transaction<Database>,
  ids: readonly string[],
): Promise<Map<string, TextDocument & { snapshotVersion: number }>> {
  const { rows } = await sql<{
    id: string;
    content: string;
    snapshot_version: number;
    clients: [string, ClientMark][];
    operations: OperationRow[];
  }>`
    select d.id, d.content, d.snapshot_version, d.clients,
      coalesce((select jsonb_agg(to_jsonb(o) order by o.version)
        from collaboration_operations o
        where o.document_id = d.id and o.version > d.snapshot_version), '[]') as operations
    from collaboration_documents d where d.id = any(${ids})`.execute(db);
  return new Map(rows.map((row) => {
    const document = documentOf(row.content, row.snapshot_version, row.clients);
    for (const operation of row.operations) append(document, toTaken(operation));
    return [row.id, { ...document, snapshotVersion: row.snapshot_version }];
  }));
}

/** Edits after a version, in order; up to and including `upTo`. */
export async function loadEdits(
  db: Db | Transaction<Database>,
  id: string,
  after: number,
  upTo: number,
): Promise<TakenEdit[]> {
  const rows = await db.selectFrom("collaboration_operations").selectAll()
    .where("document_id", "=", id).where("version", ">", after).where("version", "<=", upTo)
    .orderBy("version").execute();
  return rows.map(toTaken);
}

/**
 * Makes what is not there yet, and waits until nobody else may edit the documents.
 *
 * @param wait false: those that somebody else has locked are left out
 * @returns the version of each.
 */
export async function lockDocuments(
  trx: Transaction<Database>,
  fresh: ReadonlyMap<string, Subject>,
  ids: readonly string[],
  wait: boolean,
): Promise<Map<string, number>> {
  if (fresh.size > 0) {
    // In one order everywhere, so that two nodes do not wait for each other.
    const rows = [...fresh].sort(([a], [b]) => a < b ? -1 : 1);
    await trx.insertInto("collaboration_documents")
      .values(rows.map(([id, subject]) => ({
        id,
        kind: subject.kind,
        subject_id: subjectId(subject),
      })))
      .onConflict((conflict) => conflict.doNothing()).execute();
  }
  const rows = await trx.selectFrom("collaboration_documents").select(["id", "version"])
    .where("id", "in", ids).orderBy("id").forUpdate().$if(!wait, (qb) => qb.skipLocked()).execute();
  return new Map(rows.map((row) => [row.id, row.version]));
}

/**
 * Whether these edits are what made the versions after `base`. Waits until nobody is at work on the
 * document, also who was and lost the connection.
 */
export async function areStored(
  db: Db,
  id: string,
  base: number,
  edits: readonly TakenEdit[],
): Promise<boolean> {
  return await db.transaction().execute(async (trx) => {
    await trx.selectFrom("collaboration_documents").select("id").where("id", "=", id).forUpdate()
      .execute();
    const stored = await loadEdits(trx, id, base, base + edits.length);
    const same = ({ clientId, opId, author, edit }: TakenEdit) =>
      JSON.stringify([clientId, opId, author.userId, toOperation(edit)]);
    return stored.length === edits.length &&
      stored.every((one, i) => same(one) === same(edits[i]!));
  });
}

export interface StoredChange {
  id: string;
  /** The version that it is a change of. */
  base: number;
  document: TextDocument;
  taken: readonly TakenEdit[];
  /** The whole text is to be written, too. */
  snapshot: boolean;
}

/**
 * Everything of a batch in one statement; the log of what got a snapshot is cut to `kept` edits
 * before it.
 *
 * @returns the documents that were stored: not those that are at another version than `base`, or
 * that somebody else has locked.
 */
export async function storeChanges(
  db: Db | Transaction<Database>,
  changes: readonly StoredChange[],
  kept: number,
): Promise<Set<string>> {
  const documents = changes.map(({ id, base, document, snapshot }) => ({
    id,
    base,
    version: document.version,
    ...(snapshot ? { content: textOf(document), clients: [...document.clients] } : {}),
  }));
  const operations = changes.flatMap(({ id, taken }) =>
    taken.map(({ version, edit, author, clientId, opId }) => ({
      document_id: id,
      version,
      client_id: clientId,
      client_seq: opId,
      author_id: author.userId,
      author_name: author.userName,
      author_role: author.role,
      operation: edit,
    }))
  );
  const { rows } = await sql<{ stored: string[] }>`
    select store_edits(${JSON.stringify(documents)}::jsonb, ${JSON.stringify(operations)}::jsonb,
      ${kept}) as stored`.execute(db);
  return new Set(rows[0]!.stored);
}
