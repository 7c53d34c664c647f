import { sql, type Transaction } from "kysely";
import type { Db } from "../../db/database.ts";
import type { Database } from "../../db/types.ts";
import { type TextEdit, toOperation } from "../../protocol/text.ts";
import {
  type AcceptedEdit,
  append,
  documentOf,
  type LastCommand,
  type TextDocument,
  textOf,
} from "./document.ts";
import { type Subject, subjectId } from "./subjects.ts";

/** A row of an edit. */
interface OperationRow {
  version: number;
  client_id: string;
  client_seq: number | null;
  author_id: string;
  author_name: string;
  author_role: "agent" | "visitor";
  operation: TextEdit;
}

function toAccepted(row: OperationRow): AcceptedEdit {
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
    clients: [string, LastCommand][];
    operations: OperationRow[];
  }>`
    select d.id, d.content, d.snapshot_version, d.clients,
      coalesce((select jsonb_agg(to_jsonb(o) order by o.version)
        from collaboration_operations o
        where o.document_id = d.id and o.version > d.snapshot_version), '[]') as operations
    from collaboration_documents d where d.id = any(${ids})`.execute(db);
  return new Map(rows.map((row) => {
    const document = documentOf(row.content, row.snapshot_version, row.clients);
    for (const operation of row.operations) append(document, toAccepted(operation));
    return [row.id, { ...document, snapshotVersion: row.snapshot_version }];
  }));
}

/** Edits after a version, in order; up to and including `upTo`. */
export async function loadEdits(
  db: Db | Transaction<Database>,
  id: string,
  after: number,
  upTo: number,
): Promise<AcceptedEdit[]> {
  const rows = await db.selectFrom("collaboration_operations").selectAll()
    .where("document_id", "=", id).where("version", ">", after).where("version", "<=", upTo)
    .orderBy("version").execute();
  return rows.map(toAccepted);
}

/**
 * Creates missing documents, and locks all of them.
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
    // In the same order on all nodes, so that they cannot deadlock.
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
 * Whether these edits are the versions after `base`. Waits for transactions that have locked the
 * document, also for one whose connection is lost.
 */
export async function areStored(
  db: Db,
  id: string,
  base: number,
  edits: readonly AcceptedEdit[],
): Promise<boolean> {
  return await db.transaction().execute(async (trx) => {
    await trx.selectFrom("collaboration_documents").select("id").where("id", "=", id).forUpdate()
      .execute();
    const stored = await loadEdits(trx, id, base, base + edits.length);
    const same = ({ clientId, opId, author, edit }: AcceptedEdit) =>
      JSON.stringify([clientId, opId, author.userId, toOperation(edit)]);
    return stored.length === edits.length &&
      stored.every((one, i) => same(one) === same(edits[i]!));
  });
}

export interface StoredChange {
  id: string;
  /** The version before the change. */
  base: number;
  document: TextDocument;
  accepted: readonly AcceptedEdit[];
  /** Whether the whole text is stored, too. */
  snapshot: boolean;
}

/**
 * Stores a batch by one statement. Of documents that get a snapshot, only `kept` edits before it are
 * kept.
 *
 * @returns the documents that were stored: without those that are at another version than `base` or
 * are locked by somebody else.
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
  const operations = changes.flatMap(({ id, accepted }) =>
    accepted.map(({ version, edit, author, clientId, opId }) => ({
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
