import { sql } from "kysely";
import type { Db } from "../../db/database.ts";
import type { EventBus } from "../events.ts";
import { selectConversations } from "./queries.ts";
import { unreadFor } from "./unread.ts";
import { toPointers } from "./view.ts";

/** Marks that one agent may have; the oldest conversations lose theirs. */
const MAX_MARKS = 1000;

/** Marks conversations as unread for one agent; see unread.ts. @returns how many there are. */
export async function markUnread(
  db: Db,
  bus: EventBus,
  userId: string,
  ids: readonly string[],
): Promise<number> {
  const marked = await db.transaction().execute(async (trx) => {
    const { rows } = await sql<{ id: string; read_inbound: number; read_seq: number }>`
      insert into participants as p (conversation_id, user_id, role, read_inbound)
      select c.id, ${userId}::uuid, 'agent', -(c.inbound_count + 1) from conversations c
      where c.id = any(${ids}::uuid[]) order by c.id
      on conflict (conversation_id, user_id) do update set read_inbound = excluded.read_inbound
      returning p.conversation_id as id, p.read_inbound, p.read_seq`.execute(trx);
    await sql`insert into unread_marks (user_id, conversation_id)
      select ${userId}::uuid, id from unnest(${rows.map(({ id }) => id)}::uuid[]) as marked(id)
      on conflict do nothing`.execute(trx);
    await sql`delete from unread_marks m where m.user_id = ${userId}::uuid and (
        not exists (select from participants p where p.conversation_id = m.conversation_id
          and p.user_id = m.user_id and p.read_inbound < 0)
        or m.conversation_id in (select o.conversation_id from unread_marks o
          where o.user_id = ${userId}::uuid order by o.conversation_id desc offset ${MAX_MARKS})
      )`.execute(trx);
    return new Map(rows.map((row) => [row.id, row]));
  });
  if (marked.size === 0) return 0;
  const rows = await selectConversations(db).where("c.id", "in", [...marked.keys()]).execute();
  for (const row of rows) {
    const { read_inbound, read_seq } = marked.get(row.id)!;
    bus.emit("conversation.pointers", {
      conversationId: row.id,
      userId,
      role: "agent",
      pointers: toPointers(row),
      readSeq: read_seq,
      unread: unreadFor(row, userId, read_inbound),
      // No position has moved.
      implied: true,
      receipts: [],
    });
  }
  return marked.size;
}
