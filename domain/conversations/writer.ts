import type { Db } from "../../db/database.ts";
import type { MessageRow } from "../../db/types.ts";
import { ParleyError } from "../../protocol/errors.ts";
import type { EventBus } from "../events.ts";
import { isUnavailable } from "../../db/database_error.ts";
import { wasCommitted } from "../../db/transaction_status.ts";
import { type Attempt, CommitUnknown, createGroupCommit } from "../group_commit.ts";
import { announce } from "./announce.ts";
import { apply } from "./operations.ts";
import {
  type NotStored,
  readAnswer,
  type Stored,
  type StoredPointer,
  wasStored,
  writeBatch,
} from "./batch.ts";
import { createRowCache } from "./row_cache.ts";
import type { MessageStatuses } from "./event_types.ts";
import { loadUnitsOfWork, readVersionedRows, storeColumns, storeRest } from "./storage.ts";
import { beginUnitOfWork, isChanged, type Operation, type UnitOfWork } from "./unit_of_work.ts";
import type { FullConversationRow } from "./view.ts";

export interface WriteResult {
  message: MessageRow | null;
  duplicate: boolean;
  /** The conversation after the whole batch. */
  row: FullConversationRow;
  /** The pointer of the acting participant; null where the operation moved none. */
  pointer: StoredPointer | null;
}

export interface Writer {
  /**
   * Stores one change. Resolves after the commit.
   *
   * @throws {ParleyError} `overloaded` when too many changes are waiting, `not_found`, `forbidden`, `conflict`.
   */
  write(operation: Operation): Promise<WriteResult>;
  /** Resolves when nothing is waiting. */
  idle(): Promise<void>;
  readonly pending: number;
}

interface Waiting {
  operation: Operation;
  resolve(result: WriteResult): void;
  reject(error: unknown): void;
}

export interface WriterOptions {
  db: Db;
  bus: EventBus;
  epoch: string;
  maxPending: number;
  /** Changes in one transaction at most; more wait for the next one. */
  maxBatch?: number;
  /** Transactions at a time, of different conversations. Default 1. */
  maxRunning?: number;
  /** Milliseconds for which a change is tried again; see `GroupCommitOptions`. */
  patienceMs?: number;
  /** Messages whose new status is announced for one move of a pointer, at most. */
  maxStatuses?: number;
  now?: () => Date;
  onBatch?: (size: number, waitedMs: number) => void;
}

/** What a transaction did, before it is announced. */
interface Committed {
  all: ReadonlyMap<string, UnitOfWork>;
  /** Of each operation that is not `remaining`. */
  outcomes: ReadonlyMap<Waiting, Outcome>;
  pointers: StoredPointer[];
  statuses: ReadonlyMap<string, MessageStatuses[]>;
}

/** As the setting DATABASE_RETRY_MS. */
const PATIENCE_MS = 4000;

/** Rows that are kept in memory, of about 1 KB each. */
const MAX_CACHED_ROWS = 10_000;

const NEEDS_ONLY_THE_ROW: ReadonlySet<Operation["kind"]> = new Set([
  "status",
  "wake",
  "assign",
  "pointer",
]);

/** Whether it needs nothing but the conversation's row. */
function needsOnlyTheRow(operation: Operation): boolean {
  if (operation.kind === "message") {
    const { files, formatted = null, replyToId } = operation;
    return files === undefined && formatted === null && replyToId === undefined;
  }
  return NEEDS_ONLY_THE_ROW.has(operation.kind);
}

const NOTHING: Stored = { pointers: [], statuses: new Map(), xid: null };

type Outcome =
  | { ok: true; result: WriteResult; actorId: string }
  | { ok: false; error: unknown };

/** Stores changes of conversations, those of the same moment together. */
export function createWriter(options: WriterOptions): Writer {
  const { db, bus, epoch, maxPending, now = () => new Date() } = options;
  const maxStatuses = options.maxStatuses ?? 500;
  const cache = createRowCache(MAX_CACHED_ROWS);
  const group = createGroupCommit<Waiting>({
    what: "the change",
    maxPending,
    maxBatch: options.maxBatch ?? 500,
    maxRunning: options.maxRunning ?? 1,
    patienceMs: options.patienceMs ?? PATIENCE_MS,
    keyOf: ({ operation }) => operation.conversationId,
    commit: (batch, mode) =>
      mode === "optimistic" ? commitOptimistic(batch) : commitLocking(batch, mode),
    onBatch: options.onBatch,
  });

  /**
   * The common batch in one call: its operations are applied to the cached rows, and stored only if
   * the rows still have these versions. Conversations for which this is not possible remain, with
   * all their operations: where an operation needs more than the row, where one is refused (a stale
   * row must not be the reason), and where somebody else is changing the conversation now.
   */
  async function commitOptimistic(batch: Waiting[]): Promise<Attempt<Waiting>> {
    const byId = Map.groupBy(batch, ({ operation }) => operation.conversationId);
    const all = new Map<string, UnitOfWork>();
    const outcomes = new Map<string, Map<Waiting, Outcome>>();
    let toApply = [...byId.keys()].filter((id) =>
      byId.get(id)!.every(({ operation }) => needsOnlyTheRow(operation))
    );
    const reread = new Set<string>();
    let stored: Stored | NotStored = NOTHING;
    const attempt: Attempt<Waiting> = {
      get remaining() {
        return batch.filter(({ operation }) => !all.has(operation.conversationId));
      },
      complete() {
        if (!("pointers" in stored)) return;
        complete({ all, outcomes: new Map(outcomes.values().flatMap((some) => some)), ...stored });
      },
    };
    for (;;) {
      await loadMissing(toApply.filter((id) => cache.get(id) === undefined));
      for (const id of toApply) {
        const row = cache.get(id);
        if (row === undefined) continue;
        const unit = beginUnitOfWork(row);
        const applied = new Map(
          byId.get(id)!.map((entry) => [entry, applyOne(unit, entry.operation)]),
        );
        if (applied.values().some((outcome) => !outcome.ok)) continue;
        all.set(id, unit);
        outcomes.set(id, applied);
      }
      const touched = [...all.values()];
      if (touched.length === 0) return attempt;
      try {
        stored = await writeBatch(db, touched, maxStatuses);
      } catch (error) {
        for (const { row } of touched) cache.delete(row.id);
        if (!isUnavailable(error) || !error.isUncertain) throw error;
        throw new CommitUnknown(attempt, async () => {
          if (!await wasStored(db, touched)) return false;
          stored = await readAnswer(db, touched, maxStatuses);
          return true;
        }, error);
      }
      if ("pointers" in stored) {
        for (const { row, version } of touched) cache.set(row.id, { row, version });
        return attempt;
      }
      for (const id of [...stored.stale, ...stored.repeated]) {
        cache.delete(id);
        all.delete(id);
        outcomes.delete(id);
      }
      toApply = stored.stale.filter((id) => !reread.has(id));
      for (const id of toApply) reread.add(id);
    }
  }

  async function loadMissing(ids: string[]): Promise<void> {
    if (ids.length === 0) return;
    for (const one of await readVersionedRows(db, ids)) cache.set(one.row.id, one);
  }

  /** Any batch, in a transaction that locks the rows before it reads them. */
  async function commitLocking(
    batch: Waiting[],
    mode: "locking" | "waiting",
  ): Promise<Attempt<Waiting>> {
    let stored: Stored | undefined;
    let committed: Committed | undefined;
    let remaining: Waiting[] = [];
    try {
      await db.transaction().execute(async (trx) => {
        const operations = batch.map(({ operation }) => operation);
        const { all, locked } = await loadUnitsOfWork(trx, operations, mode === "waiting");
        remaining = batch.filter(({ operation }) => locked.has(operation.conversationId));
        const outcomes = new Map(
          batch.filter(({ operation }) => !locked.has(operation.conversationId))
            .map((
              entry,
            ) => [entry, applyOne(all.get(entry.operation.conversationId), entry.operation)]),
        );
        const touched = [...all.values()].filter(isChanged);
        await storeRest(trx, touched);
        const now = touched.length === 0 ? NOTHING : await writeBatch(trx, touched, maxStatuses);
        if (!("pointers" in now)) throw new Error("Cannot store what is locked: it was changed");
        await storeColumns(trx, touched);
        stored = now;
        committed = { all, outcomes, ...now };
      });
    } catch (error) {
      for (const { operation } of batch) cache.delete(operation.conversationId);
      const { xid } = stored ?? {};
      if (committed === undefined || !isUnavailable(error) || !error.isUncertain) throw error;
      // Nothing was written, so nothing can be lost.
      if (xid === undefined || xid === null) throw error;
      const attempt = { remaining, complete: () => complete(committed!) };
      throw new CommitUnknown(attempt, () => wasCommitted(db, xid), error);
    }
    for (const { row, version } of committed!.all.values()) cache.set(row.id, { row, version });
    return { remaining, complete: () => complete(committed!) };
  }

  /** Emits the events, then resolves the callers' promises. */
  function complete({ all, outcomes, pointers, statuses }: Committed): void {
    const byConversation = Map.groupBy(pointers, (pointer) => pointer.conversation_id);
    for (const [id, unit] of all) {
      announce(bus, epoch, unit, byConversation.get(id) ?? []);
      for (const moved of statuses.get(id) ?? []) {
        bus.emit("messages.status", { conversationId: id, ...moved });
      }
    }
    for (const [{ resolve, reject }, outcome] of outcomes) {
      if (!outcome.ok) {
        reject(outcome.error);
        continue;
      }
      const { result, actorId } = outcome;
      result.pointer = byConversation.get(result.row.id)
        ?.find((pointer) => pointer.user_id === actorId) ?? null;
      resolve(result);
    }
  }

  function applyOne(unit: UnitOfWork | undefined, operation: Operation): Outcome {
    try {
      if (unit === undefined) {
        throw new ParleyError(
          "not_found",
          `Cannot find the conversation "${operation.conversationId}"`,
        );
      }
      const { message, duplicate } = apply(unit, operation, now());
      return {
        ok: true,
        actorId: operation.actor.userId,
        result: { message, duplicate, row: unit.row, pointer: null },
      };
    } catch (error) {
      return { ok: false, error };
    }
  }

  return {
    write: (operation) =>
      new Promise((resolve, reject) => group.add({ operation, resolve, reject })),
    idle: () => group.idle(),
    get pending() {
      return group.pending;
    },
  };
}
