import type { Db } from "../../db/database.ts";
import type { MessageRow } from "../../db/types.ts";
import { ParleyError } from "../../protocol/errors.ts";
import type { Pointers } from "../../protocol/model.ts";
import type { EventBus } from "../events.ts";
import { createGroupCommit } from "../group_commit.ts";
import { apply } from "./operations.ts";
import type { Operation, Working } from "./working.ts";
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

/** Stores changes of conversations, those of the same moment together. */
export function createWriter(options: WriterOptions): Writer {
  const { db, bus, epoch, maxPending, maxBatch = 500, now = () => new Date() } = options;
  const group = createGroupCommit<Waiting>({
    what: "the change",
    maxPending,
    maxBatch,
    async commit(batch) {
      const outcomes = await commit(batch.map(({ operation }) => operation));
      for (const [i, { resolve, reject }] of batch.entries()) {
        const outcome = outcomes[i]!;
        if (outcome.ok) resolve(outcome.result);
        else reject(outcome.error);
      }
    },
  });

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
    write: (operation) =>
      new Promise((resolve, reject) => group.add({ operation, resolve, reject })),
    idle: () => group.idle(),
    get pending() {
      return group.pending;
    },
  };
}
