/** The messages whose status changes by the moves of a batch, for clients that follow them. */
import type { CompositeValue } from "../../db/composites.ts";
import type { MessageStatuses } from "./event_types.ts";
import type { StatusMove, UnitOfWork } from "./unit_of_work.ts";

type Move = StatusMove & { conversationId: string };

/** The moves of a batch, and the same as `batch_move`. */
export function listMoves(all: Iterable<UnitOfWork>): { moves: Move[]; rows: CompositeValue[][] } {
  const moves = [...all].flatMap(({ row, statuses }) =>
    [...statuses.values()].map((move) => ({ ...move, conversationId: row.id }))
  );
  const rows = moves.map((
    { conversationId, role, from, to },
    nth,
  ) => [nth, conversationId, role === "agent", from, to]);
  return { moves, rows };
}

/** By conversation, in the order of the moves. @param found messages, by the number of the move */
export function toStatuses(
  moves: readonly Move[],
  found: readonly (readonly [nth: number, messageId: string, seq: number])[],
): Map<string, MessageStatuses[]> {
  const byMove = Map.groupBy(found, ([nth]) => nth);
  const byConversation = new Map<string, MessageStatuses[]>();
  for (const [nth, { conversationId, role, userId, event: status }] of moves.entries()) {
    const messages = byMove.get(nth)?.map(([, messageId, seq]) => ({ messageId, seq }));
    if (messages === undefined) continue;
    const told = byConversation.get(conversationId) ?? [];
    byConversation.set(conversationId, [...told, { role, userId, status, messages }]);
  }
  return byConversation;
}
