import type { Db } from "../../db/database.ts";
import type { MessageRow } from "../../db/types.ts";
import { ParleyError } from "../../protocol/errors.ts";
import type { Pointers } from "../../protocol/model.ts";
import type { EventBus } from "../events.ts";
import { isUnavailable } from "../../db/database_error.ts";
import { wasCommitted } from "../../db/transaction_status.ts";
import { type Attempt, CommitUnknown, createGroupCommit } from "../group_commit.ts";
import { apply } from "./operations.ts";
import {
  type NotStored,
  readAnswer,
  type Stored,
  type StoredPointer,
  wasStored,
  writeBatch,
} from "./batch.ts";
import { createKnownConversations } from "./known.ts";
import { receiptsBy } from "./receipts.ts";
import type { MessageStatuses } from "./statuses.ts";
import { loadWorking, readKnown, storeRest } from "./storage.ts";
import { beginWork, isChanged, type Operation, type Working } from "./working.ts";
import { type FullConversationRow, toConversation, toLogEntry, toPointers } from "./view.ts";

export interface WriteResult {
  message: MessageRow | null;
  duplicate: boolean;
  /** The conversation after the whole batch. */
  row: FullConversationRow;
  /** Where the acting participant now stands; null where the operation moved no pointer. */
  pointer: StoredPointer | null;
}

export interface Writer {
  /**
   * Stores one change. Resolves after the commit.
   *
   * @throws {ParleyError} `overloaded` when too much waits, `not_found`, `forbidden`, `conflict`.
   */
  write(operation: Operation): Promise<WriteResult>;
  /** Resolves when nothing waits any more. */
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
  /** Messages of one move of a pointer whose new status is told, at most. */
  maxStatuses?: number;
  now?: () => Date;
  onBatch?: (size: number, waitedMs: number) => void;
}

/** What a transaction did, before anybody is told. */
interface Done {
  all: ReadonlyMap<string, Working>;
  /** Of each that was not left out. */
  outcomes: ReadonlyMap<Waiting, Outcome>;
  pointers: StoredPointer[];
  statuses: ReadonlyMap<string, MessageStatuses[]>;
}

/** As the setting DATABASE_RETRY_MS. */
const PATIENCE_MS = 4000;

/** Rows that are kept in memory, of about 1 KB each. */
const MAX_KNOWN = 10_000;

/** Of these everything that they look at is in the conversation's row. */
const NEEDS_THE_ROW_ALONE: ReadonlySet<Operation["kind"]> = new Set([
  "message",
  "status",
  "assign",
  "pointer",
]);

const NOTHING: Stored = { pointers: [], statuses: new Map(), xid: null };

type Outcome =
  | { ok: true; result: WriteResult; actorId: string }
  | { ok: false; error: unknown };

/** Stores changes of conversations, those of the same moment together. */
export function createWriter(options: WriterOptions): Writer {
  const { db, bus, epoch, maxPending, now = () => new Date() } = options;
  const maxStatuses = options.maxStatuses ?? 500;
  const known = createKnownConversations(MAX_KNOWN);
  const group = createGroupCommit<Waiting>({
    what: "the change",
    maxPending,
    maxBatch: options.maxBatch ?? 500,
    maxRunning: options.maxRunning ?? 1,
    patienceMs: options.patienceMs ?? PATIENCE_MS,
    keyOf: ({ operation }) => operation.conversationId,
    commit: (batch, how) => how === "optimistic" ? commitKnown(batch) : commitLocked(batch, how),
    onBatch: options.onBatch,
  });

  /**
   * The common batch in one call: its operations are applied to the rows as this process knows them,
   * and stored only if they are still so. Conversations of which that cannot be done are left, with
   * all that the batch wants of them: what needs more than the row, what is refused, since that
   * must not depend on an old row, and what others are changing at this moment.
   */
  async function commitKnown(batch: Waiting[]): Promise<Attempt<Waiting>> {
    const byId = Map.groupBy(batch, ({ operation }) => operation.conversationId);
    const all = new Map<string, Working>();
    const outcomes = new Map<string, Map<Waiting, Outcome>>();
    let toApply = [...byId.keys()].filter((id) =>
      byId.get(id)!.every(({ operation }) => NEEDS_THE_ROW_ALONE.has(operation.kind))
    );
    const reread = new Set<string>();
    let stored: Stored | NotStored = NOTHING;
    const attempt: Attempt<Waiting> = {
      get left() {
        return batch.filter(({ operation }) => !all.has(operation.conversationId));
      },
      settle() {
        if (!("pointers" in stored)) return;
        settle({ all, outcomes: new Map(outcomes.values().flatMap((some) => some)), ...stored });
      },
    };
    for (;;) {
      await learn(toApply.filter((id) => known.get(id) === undefined));
      for (const id of toApply) {
        const row = known.get(id);
        if (row === undefined) continue;
        const working = beginWork(row);
        const applied = new Map(
          byId.get(id)!.map((entry) => [entry, applyOne(working, entry.operation)]),
        );
        if (applied.values().some((outcome) => !outcome.ok)) continue;
        all.set(id, working);
        outcomes.set(id, applied);
      }
      const touched = [...all.values()];
      if (touched.length === 0) return attempt;
      try {
        stored = await writeBatch(db, touched, maxStatuses);
      } catch (error) {
        for (const { row } of touched) known.delete(row.id);
        if (!isUnavailable(error) || !error.isUncertain) throw error;
        throw new CommitUnknown(attempt, async () => {
          if (!await wasStored(db, touched)) return false;
          stored = await readAnswer(db, touched, maxStatuses);
          return true;
        }, error);
      }
      if ("pointers" in stored) {
        for (const { row, version } of touched) known.set(row.id, { row, version });
        return attempt;
      }
      for (const id of [...stored.stale, ...stored.known]) {
        known.delete(id);
        all.delete(id);
        outcomes.delete(id);
      }
      toApply = stored.stale.filter((id) => !reread.has(id));
      for (const id of toApply) reread.add(id);
    }
  }

  async function learn(ids: string[]): Promise<void> {
    if (ids.length === 0) return;
    for (const one of await readKnown(db, ids)) known.set(one.row.id, one);
  }

  /** Any batch, in a transaction that locks what it changes before it looks at it. */
  async function commitLocked(
    batch: Waiting[],
    how: "locking" | "waiting",
  ): Promise<Attempt<Waiting>> {
    let stored: Stored | undefined;
    let done: Done | undefined;
    let left: Waiting[] = [];
    try {
      await db.transaction().execute(async (trx) => {
        const operations = batch.map(({ operation }) => operation);
        const { all, locked } = await loadWorking(trx, operations, how === "waiting");
        left = batch.filter(({ operation }) => locked.has(operation.conversationId));
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
        stored = now;
        done = { all, outcomes, ...now };
      });
    } catch (error) {
      for (const { operation } of batch) known.delete(operation.conversationId);
      const { xid } = stored ?? {};
      if (done === undefined || !isUnavailable(error) || !error.isUncertain) throw error;
      // Nothing was written: there is nothing to be lost, either.
      if (xid === undefined || xid === null) throw error;
      const attempt = { left, settle: () => settle(done!) };
      throw new CommitUnknown(attempt, () => wasCommitted(db, xid), error);
    }
    for (const { row, version } of done!.all.values()) known.set(row.id, { row, version });
    return { left, settle: () => settle(done!) };
  }

  /** Tells everybody, then answers. */
  function settle({ all, outcomes, pointers, statuses }: Done): void {
    const byConversation = Map.groupBy(pointers, (pointer) => pointer.conversation_id);
    for (const [id, working] of all) {
      announce(working, byConversation.get(id) ?? []);
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

  function applyOne(working: Working | undefined, operation: Operation): Outcome {
    try {
      if (working === undefined) {
        throw new ParleyError(
          "not_found",
          `Cannot find the conversation "${operation.conversationId}"`,
        );
      }
      const { message, duplicate } = apply(working, operation, now());
      return {
        ok: true,
        actorId: operation.actor.userId,
        result: { message, duplicate, row: working.row, pointer: null },
      };
    } catch (error) {
      return { ok: false, error };
    }
  }

  function announce(working: Working, stored: StoredPointer[]): void {
    const { row } = working;
    const pointers: Pointers = toPointers(row);
    if (working.events.length > 0) {
      const entries = working.events.map(({ event, message }) =>
        toLogEntry(event, message, pointers)
      );
      bus.emit("conversation.logged", { conversationId: row.id, entries });
      const conversation = toConversation(row, epoch, "agents");
      bus.emit("conversation.updated", { conversation, entries });
    }
    const moves = stored.map((pointer) => ({
      pointer,
      receipts: receiptsBy(working, pointer.user_id),
    }))
      .sort((a, b) => (a.receipts[0]?.number ?? 0) - (b.receipts[0]?.number ?? 0));
    for (const { pointer, receipts } of moves) {
      bus.emit("conversation.pointers", {
        conversationId: row.id,
        userId: pointer.user_id,
        role: pointer.role,
        pointers,
        readSeq: pointer.read_seq,
        implied: !working.pointed.has(pointer.user_id),
        receipts,
        unread: pointer.role === "agent"
          ? row.inbound_count - pointer.read_inbound
          : row.outbound_count - pointer.read_outbound,
      });
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
