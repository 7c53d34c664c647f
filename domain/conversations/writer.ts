import type { Db } from "../../db/database.ts";
import type { MessageRow } from "../../db/types.ts";
import { ParleyError } from "../../protocol/errors.ts";
import type { Pointers } from "../../protocol/model.ts";
import type { EventBus } from "../events.ts";
import { isUnavailable } from "../../db/database_error.ts";
import { wasCommitted } from "../../db/transaction_status.ts";
import { type Attempt, CommitUnknown, createGroupCommit } from "../group_commit.ts";
import { apply } from "./operations.ts";
import type { Operation, Working } from "./working.ts";
import { receiptsBy, storeReceipts } from "./receipts.ts";
import { type MessageStatuses, statusesOf } from "./statuses.ts";
import { loadWorking, type Stored, type StoredPointer, storeWorking } from "./storage.ts";
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
  /** Milliseconds for which a change is tried again; see `GroupCommitOptions`. */
  patienceMs?: number;
  /** Messages of one move of a pointer whose new status is told, at most. */
  maxStatuses?: number;
  now?: () => Date;
  onBatch?: (size: number, waitedMs: number) => void;
}

/** What a transaction did, before anybody is told. */
interface Done {
  batch: readonly Waiting[];
  all: ReadonlyMap<string, Working>;
  /** Of each that was not left out. */
  outcomes: ReadonlyMap<Waiting, Outcome>;
  pointers: StoredPointer[];
  statuses: ReadonlyMap<string, MessageStatuses[]>;
}

/** As the setting DATABASE_RETRY_MS. */
const PATIENCE_MS = 4000;

type Outcome =
  | { ok: true; result: WriteResult; actorId: string }
  | { ok: false; error: unknown };

/** Stores changes of conversations, those of the same moment together. */
export function createWriter(options: WriterOptions): Writer {
  const { db, bus, epoch, maxPending, now = () => new Date() } = options;
  const group = createGroupCommit<Waiting>({
    what: "the change",
    maxPending,
    maxBatch: options.maxBatch ?? 500,
    patienceMs: options.patienceMs ?? PATIENCE_MS,
    keyOf: ({ operation }) => operation.conversationId,
    commit,
    onBatch: options.onBatch,
  });

  async function commit(batch: Waiting[], wait: boolean): Promise<Attempt<Waiting>> {
    /** Complete once the last statement before the commit is done. */
    let stored: Stored | undefined;
    let done: Done | undefined;
    try {
      await db.transaction().execute(async (trx) => {
        const operations = batch.map(({ operation }) => operation);
        const { all, locked } = await loadWorking(trx, operations, wait);
        const outcomes = new Map(
          batch.filter(({ operation }) => !locked.has(operation.conversationId))
            .map((entry) => [entry, applyOne(all, entry.operation)]),
        );
        const now = await storeWorking(trx, all.values());
        await storeReceipts(trx, all.values());
        const statuses = await statusesOf(trx, all.values(), options.maxStatuses ?? 500);
        stored = now;
        done = { batch, all, outcomes, pointers: now.pointers, statuses };
      });
    } catch (error) {
      const { xid } = stored ?? {};
      if (done === undefined || !isUnavailable(error) || !error.isUncertain) throw error;
      // Nothing was written: there is nothing to be lost, either.
      if (xid === undefined || xid === null) throw error;
      throw new CommitUnknown(attemptOf(done), () => wasCommitted(db, xid), error);
    }
    return attemptOf(done!);
  }

  function attemptOf(done: Done): Attempt<Waiting> {
    return {
      locked: done.batch.filter((entry) => !done.outcomes.has(entry)),
      settle: () => settle(done),
    };
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

  function applyOne(all: ReadonlyMap<string, Working>, operation: Operation): Outcome {
    const working = all.get(operation.conversationId);
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
