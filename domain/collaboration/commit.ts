/**
 * The transactions of shared documents. The row of a document decides the order, for all nodes: the
 * holder of its lock reads what others have added, and transforms its own edits over that.
 */
import type { Transaction } from "kysely";
import type { Db } from "../../db/database.ts";
import { isUnavailable } from "../../db/database_error.ts";
import type { Database } from "../../db/types.ts";
import type { EditReceipt } from "../../protocol/collaboration.ts";
import type { EventBus } from "../events.ts";
import { type Attempt, CommitUnknown, type LockMode } from "../group_commit.ts";
import type { DocumentCache } from "./cache.ts";
import {
  accept,
  type AcceptedEdit,
  copyOf,
  type DocumentLimits,
  emptyDocument,
  type Submission,
  type TextDocument,
} from "./document.ts";
import { areStored, loadDocuments, loadEdits, lockDocuments, storeChanges } from "./storage.ts";
import type { Subject } from "./types.ts";
import { toDocumentEdit } from "./wire.ts";

/** A command that waits for its transaction. */
export interface Waiting {
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
  /** Resolve or reject the commands. */
  results: (() => void)[];
  /** Documents that somebody else has locked. */
  locked: ReadonlySet<string>;
}

export interface CommitOptions {
  db: Db;
  bus: EventBus;
  cache: DocumentCache;
  limits: DocumentLimits;
}

/** Edits after which the whole text is stored again; between that, only edits are. */
const SNAPSHOT_EVERY = 100;

export function createCommit(
  { db, bus, cache, limits }: CommitOptions,
): (batch: Waiting[], mode: LockMode) => Promise<Attempt<Waiting>> {
  function attemptOf(batch: Waiting[], committed: Committed): Attempt<Waiting> {
    const { changed, results, locked } = committed;
    return {
      remaining: locked.size === 0 ? [] : batch.filter(({ id }) => locked.has(id)),
      complete() {
        for (const [id, { subject, document, snapshotVersion, accepted }] of changed) {
          cache.set(id, { document, snapshotVersion });
          for (const { edit, origin } of accepted) {
            bus.emit("document.edited", {
              edit: toDocumentEdit(id, subject, edit),
              subject,
              origin,
            });
          }
        }
        for (const resolve of results) resolve();
      },
    };
  }

  /** An error after which the database has to be asked, because the answer to a commit may be lost. */
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
   * One document whose cached state is current is stored by one statement. null: it may not be
   * current, or there are several documents, which have to be locked in one order.
   */
  async function commitOptimistic(byId: ReadonlyMap<string, Waiting[]>): Promise<Committed | null> {
    const [[id, entries]] = [...byId] as [[string, Waiting[]]];
    const cached = cache.get(id);
    if (byId.size > 1 || cached === undefined) return null;
    const { version, recent } = cached.document;
    const isRecent = (entry: Waiting) =>
      entry.submission.version <= version && entry.submission.version >= version - recent.length;
    if (!entries.every(isRecent)) return null;
    const committed: Committed = { changed: new Map(), results: [], locked: new Set() };
    acceptAll(committed, id, entries, copyOf(cached.document), cached.snapshotVersion);
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
    let stored: Committed | null = null;
    try {
      return await lockAndStore(byId, wait, (committed) => stored = committed);
    } catch (error) {
      throw orUnknown(byId, stored, error);
    }
  }

  /** @param onStored called after the last statement before the commit */
  async function lockAndStore(
    byId: ReadonlyMap<string, Waiting[]>,
    wait: boolean,
    onStored: (committed: Committed) => void,
  ): Promise<Committed> {
    return await db.transaction().execute(async (trx) => {
      const ids = [...byId.keys()];
      const uncached = new Map<string, Subject>();
      for (const [id, [first]] of byId) {
        if (cache.get(id) === undefined) uncached.set(id, first!.subject);
      }
      const versions = await lockDocuments(trx, uncached, ids, wait);
      const locked = new Set(ids.filter((id) => !versions.has(id)));
      const cached = new Map(ids.map((id) => [id, cache.get(id)]));
      const stale = [...versions].filter(([id, version]) =>
        cached.get(id)?.document.version !== version && version > 0
      ).map(([id]) => id);
      const loaded = stale.length === 0 ? null : await loadDocuments(trx, stale);
      const committed: Committed = { changed: new Map(), results: [], locked };
      for (const [id, entries] of byId) {
        if (locked.has(id)) continue;
        const { document, snapshotVersion } = loaded?.has(id)
          ? { document: loaded.get(id)!, snapshotVersion: loaded.get(id)!.snapshotVersion }
          : cached.get(id) ?? { document: emptyDocument(), snapshotVersion: 0 };
        const draft = copyOf(document);
        await loadOlder(trx, id, draft, Math.min(...entries.map((e) => e.submission.version)));
        acceptAll(committed, id, entries, draft, snapshotVersion);
      }
      await store(trx, committed.changed);
      onStored(committed);
      return committed;
    });
  }

  /** Applies commands in order, and keeps their results until the batch is stored. */
  function acceptAll(
    { changed, results }: Committed,
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
        results.push(() => resolve(result.receipt));
      } catch (error) {
        results.push(() => reject(error));
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
    on: Db | Transaction<Database>,
    changed: ReadonlyMap<string, Changed>,
  ): Promise<Set<string>> {
    const changes = [...changed].filter(([, { accepted }]) => accepted.length > 0)
      .map(([id, { accepted, ...rest }]) => ({
        id,
        ...rest,
        accepted: accepted.map(({ edit }) => edit),
      }));
    return changes.length === 0 ? new Set() : await storeChanges(on, changes, limits.operations);
  }

  /** Loads edits that a command is older than, and that are not in memory. */
  async function loadOlder(
    trx: Transaction<Database>,
    id: string,
    document: TextDocument,
    version: number,
  ): Promise<void> {
    const first = document.version - document.recent.length;
    if (version >= first || document.version - version > limits.operations) return;
    document.recent.unshift(...await loadEdits(trx, id, version, first));
  }

  return async (batch, mode) => {
    const byId = Map.groupBy(batch, ({ id }) => id);
    const committed = await commitOptimistic(byId) ?? await commitLocking(byId, mode === "waiting");
    return attemptOf(batch, committed);
  };
}
