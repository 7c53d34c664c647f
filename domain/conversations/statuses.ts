/** Which messages the moves of a batch are about, for who follows the status of single messages. */
import { sql } from "kysely";
import type { Db } from "../../db/database.ts";
import type { StatusMove, Working } from "./working.ts";

export interface MessageStatuses extends Pick<StatusMove, "role" | "userId"> {
  status: StatusMove["event"];
  /** Oldest first; of more than `limit` the newest. */
  messages: { messageId: string; seq: number }[];
}

/** By conversation, in the order in which it happened. @param limit messages of one move, at most */
export async function statusesOf(
  trx: Db,
  all: Iterable<Working>,
  limit: number,
): Promise<Map<string, MessageStatuses[]>> {
  const moves = [...all].flatMap(({ row, statuses }) =>
    [...statuses.values()].map((move) => ({ ...move, id: row.id }))
  );
  if (moves.length === 0) return new Map();
  const wanted = moves.map(({ id, role, from, to }, nth) => ({
    nth,
    conversation_id: id,
    from_visitor: role === "agent",
    after: from,
    up_to: to,
  }));
  const { rows } = await sql<{ nth: number; message_id: string; seq: number }>`
    select x.nth, m.id as message_id, m.seq
    from jsonb_to_recordset(${JSON.stringify(wanted)}::jsonb) as x(
      nth integer, conversation_id uuid, from_visitor boolean, after bigint, up_to bigint)
    cross join lateral (
      select id, seq from chat_messages
      where conversation_id = x.conversation_id and seq > x.after and seq <= x.up_to
        and type = 'text' and not is_private and (sender_role = 'visitor') = x.from_visitor
      order by seq desc limit ${limit}
    ) m
    order by x.nth, m.seq`.execute(trx);
  const byMove = Map.groupBy(rows, ({ nth }) => nth);
  const told = moves.map(({ id, role, event: status, userId }, nth) => ({
    id,
    statuses: {
      role,
      userId,
      status,
      messages: (byMove.get(nth) ?? []).map(({ message_id: messageId, seq }) => ({
        messageId,
        seq: Number(seq),
      })),
    },
  })).filter(({ statuses }) => statuses.messages.length > 0);
  const byConversation = Map.groupBy(told, ({ id }) => id);
  return new Map(
    [...byConversation].map(([id, some]) => [id, some.map(({ statuses }) => statuses)]),
  );
}
