import type { Db } from "../../db/database.ts";
import { isUnavailable } from "../../db/database_error.ts";
import type { DocumentEdit, DocumentState, EditReceipt } from "../../protocol/collaboration.ts";
import type { EventBus } from "../events.ts";
import type { Principal } from "../principal.ts";
import { type Attempt, CommitUnknown, createGroupCommit, type LockMode } from "../group_commit.ts";
import { createDocumentCache } from "./cache.ts";
import {
  accept,
  type AcceptedEdit,
  append,
  copyOf,
  type DocumentLimits,
  emptyDocument,
  lastOpIdOf,
  type Submission,
  type TextDocument,
  textOf,
} from "./document.ts";
import { areStored, loadDocuments, loadEdits, lockDocuments, storeChanges } from "./storage.ts";
import { checkAccess, checkExists, documentId, type Subject } from "./subjects.ts";

export interface DocumentsOptions {
  db: Db;
  bus: EventBus;
  epoch: string;
  limits: DocumentLimits;
  /** Edits that may wait for the database. */
  maxPending: number;
  /** Commands in one transaction at most. */
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
   * Where it stands: the whole text, or the edits since a position that is known.
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
   * @param document its id is what `open` said
   * @param origin the connection that they came over, which is not told of them
   * @throws {ParleyError} `forbidden`, `version_ahead`, `version_gone`, `conflict`, `out_of_range`,
   * `too_large`, `overloaded`.
   */
  edit(
    principal: Principal,
    document: { id: string; subject: Subject },
    submission: Omit<Submission, "author">,
    origin: string,
  ): Promise<EditReceipt>;
  /** What came after a version, in order, or the first part of it. */
  editsAfter(documentId: string, version: number): Promise<DocumentEdit[]>;
  /** Resolves when nothing waits any more; forgets what is in memory. */
  close(): Promise<void>;
  /** Documents in memory. */
  readonly cached: number;
}

/** A text is written whole each time so many edits came; between that, the edits alone. */
const SNAPSHOT_EVERY = 100;
/** What is read at once to fill a gap between nodes. */
const MAX_PAGE = 500;

interface Waiting {
  id: string;
  subject: Subject;
  submission: Submission;
  origin: string;
  resolve(receipt: EditReceipt): void;
  reject(error: unknown): void;
}

interface Changed {
  subject: Subject;
  base: number;
  document: TextDocument;
  snapshot: boolean;
  snapshotVersion: number;
  accepted: { edit: AcceptedEdit; origin: string }[];
}

interface Committed {
  changed: Map<string, Changed>;
  answers: (() => void)[];
  /** Documents that somebody else has locked. */
  locked: ReadonlySet<string>;
}

/** As the setting DATABASE_RETRY_MS. */
const PATIENCE_MS = 4000;

/**
 * Shared documents, in group commits: while one transaction runs, the edits that arrive wait, and
 * all of them are the next one. The row of a document is its order, for all nodes: who holds its
 * lock first reads what others have added, and moves its own edits past that.
 */
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
    commit,
    onBatch: options.onBatch,
    onRolledBack(batch) {
      // What is in memory may be of that transaction.
      for (const { id } of batch) cache.delete(id);
    },
  });

  async function commit(batch: Waiting[], mode: LockMode): Promise<Attempt<Waiting>> {
    const byId = Map.groupBy(batch, ({ id }) => id);
    const committed = await commitOptimistic(byId) ?? await commitLocking(byId, mode === "waiting");
    return attemptOf(batch, committed);
  }

  function attemptOf(batch: Waiting[], committed: Committed): Attempt<Waiting> {
    const { changed, answers, locked } = committed;
    return {
      remaining: locked.size === 0 ? [] : batch.filter(({ id }) => locked.has(id)),
      complete() {
        for (const [id, { subject, document, snapshotVersion, accepted }] of changed) {
          cache.set(id, { document, snapshotVersion });
          for (const { edit, origin } of accepted) {
            bus.emit("document.edited", { edit: toWire(id, subject, edit), subject, origin });
          }
        }
        for (const answer of answers) answer();
      },
    };
  }

  /** The answer to what stores may be lost on its way: then the database is asked. */
  function orUnknown(
    byId: ReadonlyMap<string, Waiting[]>,
    committed: Committed | null,
    error: unknown,
  ): unknown {
    if (committed === null || !isUnavailable(error) || !error.isUncertain) return error;
    const written = [...committed.changed].find(([, { accepted }]) => accepted.length > 0);
    if (written === undefined) return error;
    const [id, { base, accepted }] = written;
    const edits = accepted.map(({ edit }) => edit);
    // All of a transaction is stored, or nothing.
    const attempt = attemptOf([...byId.values()].flat(), committed);
    return new CommitUnknown(attempt, () => areStored(db, id, base, edits), error);
  }

  /**
   * One document that is as it is in memory is one statement. null: it may be not, or there are
   * several, which have to be locked in one order.
   */
  async function commitOptimistic(byId: ReadonlyMap<string, Waiting[]>): Promise<Committed | null> {
    const [[id, entries]] = [...byId] as [[string, Waiting[]]];
    const cached = cache.get(id);
    if (byId.size > 1 || cached === undefined) return null;
    const { version, recent } = cached.document;
    const isKnown = (entry: Waiting) =>
      entry.submission.version <= version && entry.submission.version >= version - recent.length;
    if (!entries.every(isKnown)) return null;
    const committed: Committed = { changed: new Map(), answers: [], locked: new Set() };
    take(committed, id, entries, copyOf(cached.document), cached.snapshotVersion);
    try {
      const stored = await store(db, committed.changed);
      return stored.has(id) ? committed : null;
    } catch (error) {
      throw orUnknown(byId, committed, error);
    }
  }

  async function commitLocking(
    byId: ReadonlyMap<string, Waiting[]>,
    wait: boolean,
  ): Promise<Committed> {
    let done: Committed | null = null;
    try {
      return await lockAndStore(byId, wait, (committed) => done = committed);
    } catch (error) {
      throw orUnknown(byId, done, error);
    }
  }

  /** @param onStored told when the last statement before the commit is done */
  async function lockAndStore(
    byId: ReadonlyMap<string, Waiting[]>,
    wait: boolean,
    onStored: (committed: Committed) => void,
  ): Promise<Committed> {
    return await db.transaction().execute(async (trx) => {
      const ids = [...byId.keys()];
      const fresh = new Map<string, Subject>();
      for (const [id, [first]] of byId) {
        if (cache.get(id) === undefined) fresh.set(id, first!.subject);
      }
      const versions = await lockDocuments(trx, fresh, ids, wait);
      const locked = new Set(ids.filter((id) => !versions.has(id)));
      const cached = new Map(ids.map((id) => [id, cache.get(id)]));
      const stale = [...versions].filter(([id, version]) =>
        cached.get(id)?.document.version !== version && version > 0
      ).map(([id]) => id);
      const loaded = stale.length === 0 ? null : await loadDocuments(trx, stale);
      const committed: Committed = { changed: new Map(), answers: [], locked };
      for (const [id, entries] of byId) {
        if (locked.has(id)) continue;
        const { document, snapshotVersion } = loaded?.has(id)
          ? { document: loaded.get(id)!, snapshotVersion: loaded.get(id)!.snapshotVersion }
          : cached.get(id) ?? { document: emptyDocument(), snapshotVersion: 0 };
        const draft = copyOf(document);
        await reachBack(trx, id, draft, Math.min(...entries.map((e) => e.submission.version)));
        take(committed, id, entries, draft, snapshotVersion);
      }
      await store(trx, committed.changed);
      onStored(committed);
      return committed;
    });
  }

  /** Applies commands in their order, and keeps their answers until it is stored. */
  function take(
    { changed, answers }: Committed,
    id: string,
    entries: readonly Waiting[],
    document: TextDocument,
    snapshotVersion: number,
  ): void {
    const base = document.version;
    const accepted: Changed["accepted"] = [];
    for (const { submission, origin, resolve, reject } of entries) {
      try {
        const result = accept(document, submission, limits);
        accepted.push(...result.accepted.map((edit) => ({ edit, origin })));
        answers.push(() => resolve(result.receipt));
      } catch (error) {
        answers.push(() => reject(error));
      }
    }
    const snapshot = document.version - snapshotVersion >= SNAPSHOT_EVERY;
    changed.set(id, {
      subject: entries[0]!.subject,
      base,
      document,
      snapshot,
      snapshotVersion: snapshot ? document.version : snapshotVersion,
      accepted,
    });
  }

  async function store(
    trx: Parameters<typeof storeChanges>[0],
    changed: ReadonlyMap<string, Changed>,
  ): Promise<Set<string>> {
    const changes = [...changed].filter(([, { accepted }]) => accepted.length > 0)
      .map(([id, { accepted, ...rest }]) => ({
        id,
        ...rest,
        accepted: accepted.map(({ edit }) => edit),
      }));
    return changes.length === 0 ? new Set() : await storeChanges(trx, changes, limits.operations);
  }

  /** Reads what a command is of that is older than what stands in memory. */
  async function reachBack(
    trx: Parameters<typeof loadEdits>[0],
    id: string,
    document: TextDocument,
    version: number,
  ): Promise<void> {
    const first = document.version - document.recent.length;
    if (version >= first || document.version - version > limits.operations) return;
    document.recent.unshift(...await loadEdits(trx, id, version, first));
  }

  /** The document as it is in the database now. */
  async function current(id: string): Promise<TextDocument> {
    const cached = cache.get(id);
    if (cached === undefined) {
      const loaded = (await loadDocuments(db, [id])).get(id);
      if (loaded === undefined) return emptyDocument();
      const { snapshotVersion, ...document } = loaded;
      const meanwhile = cache.get(id)?.document;
      if (meanwhile !== undefined && meanwhile.version >= document.version) return meanwhile;
      cache.set(id, { document, snapshotVersion });
      return document;
    }
    const newer = await loadEdits(db, id, cached.document.version, Number.MAX_SAFE_INTEGER);
    const latest = cache.get(id) ?? cached;
    if (newer.length === 0) return latest.document;
    if (newer[0]!.version !== cached.document.version + 1) {
      cache.delete(id);
      return await current(id);
    }
    if (latest.document.version >= newer.at(-1)!.version) return latest.document;
    const document = copyOf(cached.document);
    for (const accepted of newer) append(document, accepted);
    cache.set(id, { document, snapshotVersion: cached.snapshotVersion });
    return document;
  }

  function toWire(id: string, subject: Subject, accepted: AcceptedEdit): DocumentEdit {
    const { edit, version, author, clientId, opId } = accepted;
    const sessionId = subject.kind === "context" ? subject.sessionId : null;
    return { ...edit, documentId: id, sessionId, version, author, clientId, opId };
  }

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
      const document = await current(id);
      const { version, recent } = document;
      const lastOpId = lastOpIdOf(document, client, client.clientId);
      const missing = version - (known.version ?? NaN);
      if (known.epoch === epoch && missing >= 0 && missing <= limits.operations) {
        const edits = missing <= recent.length
          ? missing === 0 ? [] : recent.slice(-missing)
          : await loadEdits(db, id, known.version!, version);
        if (edits.length === missing) {
          const sent = edits.map((accepted) => toWire(id, subject, accepted));
          return { epoch, version, content: null, edits: sent, lastOpId };
        }
      }
      return { epoch, version, content: textOf(document), edits: [], lastOpId };
    },

    edit(principal, { id, subject }, submission, origin) {
      checkAccess(principal, subject);
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
      const accepted = await loadEdits(db, id, version, version + MAX_PAGE);
      return accepted.map((edit) => toWire(id, subjectOf(row.kind, row.subject_id), edit));
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

function subjectOf(kind: Subject["kind"], subjectId: string): Subject {
  if (kind !== "context") return { kind, id: subjectId };
  const [contextId, sessionId] = JSON.parse(subjectId) as [string, string];
  return { kind, contextId, sessionId };
}
