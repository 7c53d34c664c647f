/** Pointers: how far each side has received and read. */
import type { Actor, ParticipantChange, StatusMove, UnitOfWork } from "./unit_of_work.ts";

/**
 * Pointers only grow. A side's pointer is the furthest of its people, so a message is read when one
 * agent, or one of several visitors, has read it.
 *
 * @param receiptAt null: no receipt, because the move follows from a message that everybody sees.
 */
export function movePointer(
  unit: UnitOfWork,
  actor: Actor,
  seq: number,
  read: boolean,
  receiptAt: Date | null,
): void {
  if (actor.role !== "agent" && actor.role !== "visitor") return;
  const { row } = unit;
  const known = unit.participants.get(actor.userId);
  const atEnd = seq >= row.last_seq;
  const change: ParticipantChange = known ?? {
    conversation_id: row.id,
    user_id: actor.userId,
    role: actor.role,
    delivered_seq: 0,
    read_seq: 0,
    read_inbound: 0,
    read_outbound: 0,
  };
  change.delivered_seq = Math.max(change.delivered_seq, seq);
  if (read && seq >= change.read_seq) {
    change.read_seq = seq;
    change.read_inbound = atEnd ? row.inbound_count : null;
    change.read_outbound = atEnd ? row.outbound_count : null;
  }
  unit.participants.set(actor.userId, change);
  const side = actor.role === "agent" ? "agent" : "contact";
  const deliveredKey = `${side}_delivered_seq` as const;
  const readKey = `${side}_read_seq` as const;
  const before = { delivered: row[deliveredKey], read: row[readKey] };
  const delivered = seq > before.delivered;
  if (delivered) {
    row[deliveredKey] = seq;
    unit.dirty = true;
  }
  const wasRead = read && seq > before.read;
  if (wasRead) {
    row[readKey] = seq;
    unit.dirty = true;
  }
  if (delivered || wasRead) {
    const { role, userId } = actor;
    const event = wasRead ? "read" : "delivered";
    addReceipt(unit, role, event, seq, userId, receiptAt);
    if (receiptAt !== null) {
      addStatus(unit, { role, event, userId, from: before[event], to: seq });
    }
  }
}

/** "read" includes "delivered"; two moves of one batch become one. */
function addStatus({ statuses }: UnitOfWork, move: StatusMove): void {
  const { role, event, to } = move;
  const delivered = statuses.get(`${role} delivered`);
  if (event === "read" && delivered !== undefined && delivered.to <= to) {
    statuses.delete(`${role} delivered`);
  }
  const from = statuses.get(`${role} ${event}`)?.from ?? move.from;
  statuses.set(`${role} ${event}`, { ...move, from });
}

/** A move is replaced by a later one that goes as far, and by a message, which moves both pointers. */
function addReceipt(
  unit: UnitOfWork,
  role: "agent" | "visitor",
  event: "delivered" | "read",
  seq: number,
  userId: string,
  createdAt: Date | null,
): void {
  const { receipts } = unit;
  const before = receipts.get(`${role} delivered`);
  if (before !== undefined && before.seq <= seq) receipts.delete(`${role} delivered`);
  if (createdAt === null) {
    receipts.delete(`${role} read`);
    return;
  }
  // Deleted first, so that the map keeps the order of the moves.
  receipts.delete(`${role} ${event}`);
  receipts.set(`${role} ${event}`, {
    role,
    event,
    seq,
    userId,
    createdAt,
    number: 0,
    at: 0,
    messageId: null,
  });
}
