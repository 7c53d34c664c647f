/** Visitors' ratings of resolved conversations: 1 to 5, with an optional comment. */
import { sql } from "kysely";
import type { Db } from "../../db/database.ts";
import type { RatingResponse } from "../../protocol/analytics.ts";
import { ParleyError } from "../../protocol/errors.ts";
import { maySee } from "../conversations/rights.ts";
import { needUnblocked, type Principal } from "../principal.ts";

interface Rated {
  rating: number;
  comment: string;
}

/**
 * Stores the rating of a resolved conversation; another one replaces it.
 *
 * @returns the rating, and in `before` what it was; null: this is the first.
 * @throws {ParleyError} `forbidden` for agents, `not_found`, `conflict` while it is not resolved.
 */
export async function rate(
  db: Db,
  principal: Principal,
  conversationId: string,
  { rating, comment }: { rating: number; comment?: string | undefined },
): Promise<RatingResponse & { before: Rated | null }> {
  if (principal.kind !== "visitor") {
    throw new ParleyError("forbidden", "Cannot rate a conversation: only its visitor may");
  }
  needUnblocked(principal);
  const conversation = await db.selectFrom("conversations")
    .select(["id", "contact_id", "context_id", "status", "platform"])
    .where("id", "=", conversationId).executeTakeFirst();
  if (conversation === undefined || !maySee(principal, conversation)) {
    throw new ParleyError("not_found", `Cannot find the conversation "${conversationId}"`);
  }
  if (conversation.status !== "resolved") {
    throw new ParleyError("conflict", "Cannot rate the conversation: it is not resolved");
  }
  const { rows: [row] } = await sql<Rated & { created_at: Date; before: Rated | null }>`
    insert into conversation_ratings as r
      (conversation_id, resolved_seq, rating, comment, agent_id, channel)
    select ${conversationId}::uuid, e.seq, ${rating}::smallint, ${comment ?? ""}, u.id,
      ${conversation.platform}
    from conversation_events e
    left join lateral (
      select m.sender_id from chat_messages m
      where m.conversation_id = e.conversation_id and m.seq < e.seq
        and m.sender_role = 'agent' and m.type = 'text' and not m.is_private
      order by m.seq desc limit 1) last on true
    left join users u on u.id::text = last.sender_id
    where e.conversation_id = ${conversationId}::uuid and e.type = 'conversation_changed'
      and e.payload ->> 'status' = 'resolved'
    order by e.seq desc limit 1
    on conflict (conversation_id, resolved_seq) do update set rating = excluded.rating,
      comment = case when ${comment !== undefined} then excluded.comment else r.comment end,
      updated_at = now()
    returning r.rating, r.comment, r.created_at, (
      select jsonb_build_object('rating', o.rating, 'comment', o.comment)
      from conversation_ratings o
      where o.conversation_id = r.conversation_id and o.resolved_seq = r.resolved_seq
    ) as before`.execute(db);
  if (row === undefined) {
    throw new ParleyError("conflict", "Cannot rate the conversation: it is not resolved");
  }
  const { before, created_at: createdAt } = row;
  return { rating: row.rating, comment: row.comment, createdAt: createdAt.toISOString(), before };
}
