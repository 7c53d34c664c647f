/** Announces what a batch has stored. */
import type { Pointers } from "../../protocol/model.ts";
import type { EventBus } from "../events.ts";
import type { StoredPointer } from "./batch.ts";
import { receiptsBy } from "./receipts.ts";
import type { UnitOfWork } from "./unit_of_work.ts";
import { unreadFor } from "./unread.ts";
import { toConversation, toLogEntry, toPointers } from "./view.ts";

/** Emits the events of one conversation: its log, its row in the list, and its pointers. */
export function announce(
  bus: EventBus,
  epoch: string,
  unit: UnitOfWork,
  stored: readonly StoredPointer[],
): void {
  const { row } = unit;
  const pointers: Pointers = toPointers(row);
  if (unit.events.length > 0) {
    const entries = unit.events.map(({ event, message }) => toLogEntry(event, message, pointers));
    bus.emit("conversation.logged", { conversationId: row.id, entries });
    const conversation = toConversation(row, epoch, "agents");
    bus.emit("conversation.updated", { conversation, entries });
  }
  const moves = stored.map((pointer) => ({
    pointer,
    receipts: receiptsBy(unit, pointer.user_id),
  }))
    .sort((a, b) => (a.receipts[0]?.number ?? 0) - (b.receipts[0]?.number ?? 0));
  for (const { pointer, receipts } of moves) {
    bus.emit("conversation.pointers", {
      conversationId: row.id,
      userId: pointer.user_id,
      role: pointer.role,
      pointers,
      readSeq: pointer.read_seq,
      implied: !unit.movedExplicitly.has(pointer.user_id),
      receipts,
      unread: pointer.role === "agent"
        ? unreadFor(row, pointer.user_id, pointer.read_inbound)
        : row.outbound_count - pointer.read_outbound,
    });
  }
}
