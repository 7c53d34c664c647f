import type { Db } from "../../db/database.ts";
import type { DocumentEdit, DocumentState, EditReceipt } from "../../protocol/collaboration.ts";
import type { EventBus } from "../events.ts";
import { createGroupCommit } from "../group_commit.ts";
import { needUnblocked, type Principal } from "../principal.ts";
import { createDocumentCache } from "./cache.ts";
import { createCommit, type Waiting } from "./commit.ts";
import { readCurrent } from "./current.ts";
import { type DocumentLimits, lastOpIdOf, type Submission, textOf } from "./document.ts";
import { loadEdits } from "./storage.ts";
import { checkAccess, checkExists, documentId, type Subject, subjectOf } from "./subjects.ts";
import { toDocumentEdit } from "./wire.ts";

export interface DocumentsOptions {
  db: Db;
  bus: EventBus;
  epoch: string;
  limits: DocumentLimits;
  /** Edits that may wait for the database. */
  maxPending: number;
  /** Commands in one transaction, at most. */
  maxBatch?: number;
  /** Milliseconds for which an edit is tried again; see `GroupCommitOptions`. */
  patienceMs?: number;
  onBatch?: (size: number, waitedMs: number) => void;
}

export interface Documents {
  /** Edits that wait for the database. */
  readonly pending: number;
  /** @throws {ParleyError} `forbidden`, `not_found`. @returns the document's id. */
  open(principal: Principal, subject: Subject): Promise<string>;
  /**
   * The state of the document: the whole text, or the edits since a known version.
   *
   * @param known a version of the same epoch
   */
  state(
    subject: Subject,
    client: { userId: string; clientId: string },
    known?: { epoch?: string | undefined; version?: number | undefined },
  ): Promise<DocumentState>;
  /**
   * Stores a command's edits. Resolves after the commit.
   *
   * @param document its id is the result of `open`
   * @param origin the connection of the command, which does not get its edits as events
   * @throws {ParleyError} `forbidden`, `version_ahead`, `version_gone`, `conflict`, `out_of_range`,
   * `too_large`, `overloaded`.
   */
  edit(
    principal: Principal,
    document: { id: string; subject: Subject },
    submission: Omit<Submission, "author">,
    origin: string,
  ): Promise<EditReceipt>;
  /** The edits after a version, in order, or the first part of them. */
  editsAfter(documentId: string, version: number): Promise<DocumentEdit[]>;
  /** Resolves when nothing is waiting; clears the cache. */
  close(): Promise<void>;
  /** Documents in memory. */
  readonly cached: number;
}

/** Edits that are read at once to fill a gap between nodes. */
const MAX_PAGE = 500;

/** As the setting DATABASE_RETRY_MS. */
const PATIENCE_MS = 4000;

/** Shared documents, whose edits are stored in group commits. */
export function createDocuments(options: DocumentsOptions): Documents {
  const { db, bus, epoch, limits, maxPending, maxBatch = 500 } = options;
  const cache = createDocumentCache();
  const group = createGroupCommit<Waiting>({
    what: "the edit",
    maxPending,
    maxBatch,
    maxRunning: 1,
    patienceMs: options.patienceMs ?? PATIENCE_MS,
    keyOf: ({ id }) => id,
    commit: createCommit({ db, bus, cache, limits }),
    onBatch: options.onBatch,
    onRolledBack(batch) {
      // The cached state may be of that transaction.
      for (const { id } of batch) cache.delete(id);
    },
  });

  return {
    get pending() {
      return group.pending;
    },

    async open(principal, subject) {
      checkAccess(principal, subject);
      await checkExists(db, subject);
      return documentId(subject);
    },

    async state(subject, client, known = {}) {
      const id = documentId(subject);
      const document = await readCurrent(db, cache, id);
      const { version, recent } = document;
      const lastOpId = lastOpIdOf(document, client, client.clientId);
      const missing = version - (known.version ?? NaN);
      if (known.epoch === epoch && missing >= 0 && missing <= limits.operations) {
        const edits = missing <= recent.length
          ? missing === 0 ? [] : recent.slice(-missing)
          : await loadEdits(db, id, known.version!, version);
        if (edits.length === missing) {
          const sent = edits.map((edit) => toDocumentEdit(id, subject, edit));
          return { epoch, version, content: null, edits: sent, lastOpId };
        }
      }
      return { epoch, version, content: textOf(document), edits: [], lastOpId };
    },

    edit(principal, { id, subject }, submission, origin) {
      checkAccess(principal, subject);
      needUnblocked(principal);
      const { userId, userName, kind } = principal;
      const author = { userId, userName, role: kind };
      return new Promise((resolve, reject) => {
        group.add({
          id,
          subject,
          submission: { ...submission, author },
          origin,
          resolve,
          reject,
        });
      });
    },

    async editsAfter(id, version) {
      const row = await db.selectFrom("collaboration_documents").select(["kind", "subject_id"])
        .where("id", "=", id).executeTakeFirst();
      if (row === undefined) return [];
      const subject = subjectOf(row.kind, row.subject_id);
      const edits = await loadEdits(db, id, version, version + MAX_PAGE);
      return edits.map((edit) => toDocumentEdit(id, subject, edit));
    },

    async close() {
      await group.idle();
      cache.clear();
    },

    get cached() {
      return cache.size;
    },
  };
}
