/** Tells of contacts who have waited too long: once for each wait, whichever node notices. */
import { sql } from "kysely";
import type { Db } from "../../db/database.ts";
import { selectConversations } from "../conversations/queries.ts";
import { type Cause, titled } from "./causes.ts";
import type { Maker } from "./maker.ts";

/** Waits that are told of in one transaction. */
const CHUNK = 100;

/** @param afterMs milliseconds of waiting after which it is told. */
export async function tellOfWaiting(db: Db, maker: Maker, afterMs: number): Promise<void> {
  for (;;) {
    const now = new Date();
    const { claimed, made } = await db.transaction().execute(async (trx) => {
      const claimed = await claim(trx, new Date(now.getTime() - afterMs));
      if (claimed.length === 0) return { claimed, made: [] };
      const rows = await selectConversations(trx).where("c.id", "in", claimed).execute();
      const causes = rows.map((row): Cause => ({
        kind: "waiting",
        to: row.assignee_id === null ? "everybody" : [row.assignee_id],
        actorId: null,
        cause: `waiting ${row.id} ${row.waiting_since?.toISOString()}`,
        conversationId: row.id,
        // Who has read it has not answered it: what comes next does.
        seq: row.last_seq + 1,
        title: titled(`${row.contact_name} has waited for ${words(now, row.waiting_since)}`),
        messageId: null,
        count: 1,
        contactName: row.contact_name,
        at: now.toISOString(),
      }));
      return { claimed, made: await maker.insert(trx, causes) };
    });
    await maker.announce(made);
    if (claimed.length < CHUNK) return;
  }
}

async function claim(trx: Db, before: Date): Promise<string[]> {
  const { rows } = await sql<{ conversation_id: string }>`
    insert into waiting_alerts as a (conversation_id, waiting_since)
    select c.id, c.waiting_since from conversations c
    left join waiting_alerts known on known.conversation_id = c.id
    where c.waiting_since <= ${before} and c.status <> 'snoozed'
      and known.waiting_since is distinct from c.waiting_since
    order by c.waiting_since limit ${CHUNK}
    on conflict (conversation_id) do update set waiting_since = excluded.waiting_since
      where a.waiting_since is distinct from excluded.waiting_since
    returning conversation_id`.execute(trx);
  return rows.map((row) => row.conversation_id);
}

function words(now: Date, since: Date | null): string {
  const minutes = Math.round((now.getTime() - (since ?? now).getTime()) / 60_000);
  const [n, unit] = minutes < 1
    ? [Math.max(1, Math.round((now.getTime() - (since ?? now).getTime()) / 1000)), "second"]
    : minutes < 60
    ? [minutes, "minute"]
    : minutes < 48 * 60
    ? [Math.round(minutes / 60), "hour"]
    : [Math.round(minutes / (60 * 24)), "day"];
  return `${n} ${unit}${n === 1 ? "" : "s"}`;
}
