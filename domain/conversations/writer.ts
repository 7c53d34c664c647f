import { isDataError } from "../../db/data_error.ts";
import type { Db } from "../../db/database.ts";
import type { MessageRow } from "../../db/types.ts";
import { ParleyError } from "../../protocol/errors.ts";
import type { Pointers } from "../../protocol/model.ts";
import type { EventBus } from "../events.ts";
import { nextTurn } from "../turn.ts";
import { apply, type Operation, type Working } from "./operations.ts";
import { receiptsBy, storeReceipts } from "./receipts.ts";
import { loadWorking, type StoredPointer, storeWorking } from "./storage.ts";
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
  now?: () => Date;
}

type Outcome =
  | { ok: true; result: WriteResult; actorId: string }
  | { ok: false; error: unknown };

/**
 * Group commit: while one transaction runs, everything that arrives waits, and all of it is the
 * next transaction. One change alone is stored at once; a thousand at the same moment cost a few
 * transactions, not a thousand.
 */
export function createWriter(options: WriterOptions): Writer {
  const { db, bus, epoch, maxPending, maxBatch = 500, now = () => new Date() } = options;
  let waiting: Waiting[] = [];
  let running: Promise<void> | null = null;

  async function run(): Promise<void> {
    // Everything that arrives in the same turn of the event loop belongs to the first batch.
    await Promise.resolve();
    while (waiting.length > 0) {
      const batch = waiting.slice(0, maxBatch);
      waiting = waiting.slice(maxBatch);
      await runBatch(batch);
      // Sockets get their turn, and what they bring is in the next batch.
      if (waiting.length > 0) await nextTurn();
    }
    running = null;
  }

  async function runBatch(batch: Waiting[]): Promise<void> {
    let outcomes: Outcome[];
    try {
      outcomes = await commit(batch.map((entry) => entry.operation));
    } catch (error) {
      if (batch.length > 1 && isDataError(error)) {
        // One change that the database refuses must not take the others with it; the transaction
        // was rolled back, so each can be tried alone.
        for (const entry of batch) await runBatch([entry]);
      } else {
        for (const entry of batch) entry.reject(error);
      }
      return;
    }
    batch.forEach((entry, i) => {
      const outcome = outcomes[i]!;
      if (outcome.ok) entry.resolve(outcome.result);
      else entry.reject(outcome.error);
    });
  }

  async function commit(operations: Operation[]): Promise<Outcome[]> {
    const { all, outcomes, pointers } = await db.transaction().execute(async (trx) => {
      const all = await loadWorking(trx, operations);
      const outcomes = operations.map((operation) => applyOne(all, operation));
      const pointers = await storeWorking(trx, all.values());
      await storeReceipts(trx, all.values());
      return { all, outcomes, pointers };
    });
    const byConversation = Map.groupBy(pointers, (pointer) => pointer.conversation_id);
    for (const [id, working] of all) announce(working, byConversation.get(id) ?? []);
    for (const outcome of outcomes) {
      if (!outcome.ok) continue;
      const { result, actorId } = outcome;
      result.pointer = byConversation.get(result.row.id)
        ?.find((pointer) => pointer.user_id === actorId) ?? null;
    }
    return outcomes;
  }

  function applyOne(all: Map<string, Working>, operation: Operation): Outcome {
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
    write(operation) {
      if (waiting.length >= maxPending) {
        return Promise.reject(
          new ParleyError("overloaded", "Cannot store the change: too many are waiting", {
            retryAfter: 1000,
            limit: "MAX_PENDING_WRITES",
          }),
        );
      }
      return new Promise((resolve, reject) => {
        waiting.push({ operation, resolve, reject });
        running ??= run();
      });
    },
    async idle() {
      while (running !== null) await running;
    },
    get pending() {
      return waiting.length;
    },
  };
}
