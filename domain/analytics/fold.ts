/**
 * Computes facts and points from the raw rows, one stretch of time after the other. A fact is stored
 * once and counted in the same transaction; messages are counted by the difference to what was
 * counted before. So a stretch can be folded again, by any node, and nothing counts twice.
 */
import { sql } from "kysely";
import type { Db } from "../../db/database.ts";
import { readBusinessHours } from "./business_hours.ts";
import { countConversations, countMessages } from "./count_messages.ts";
import { findFacts, insertFacts, toFact } from "./facts.ts";
import { addPoints, type Count, type Retention } from "./points.ts";

const MINUTE_MS = 60_000;
/** How long a change may take from its time to its commit and still be counted. */
const OPEN_MS = 30_000;
/** The time that is folded in one transaction. */
const STRETCH_MS = 86_400_000;
/** Key of the advisory lock of the node that folds ("pafo" in ASCII). */
const LOCK_KEY = 0x7061666f;
const CURSOR = "analytics_folded";

/**
 * Folds everything up to now.
 *
 * @param options.again milliseconds that were folded before and are folded again
 * @returns false while another node is folding.
 */
export async function fold(
  db: Db,
  options: { now: number; retention: Retention; again?: number },
): Promise<boolean> {
  const { now, retention } = options;
  let again = options.again ?? 0;
  const end = Math.floor(now / MINUTE_MS) * MINUTE_MS + MINUTE_MS;
  for (;;) {
    const done = await db.transaction().execute(async (trx) => {
      const { rows: [lock] } = await sql<{ taken: boolean }>`
        select pg_try_advisory_xact_lock(${sql.lit(LOCK_KEY)}) as taken`.execute(trx);
      if (lock?.taken !== true) return null;
      const start = await startOf(trx);
      if (start === null) return end;
      const from = start - again;
      const to = Math.min(end, Math.floor((start + STRETCH_MS) / MINUTE_MS) * MINUTE_MS);
      await foldStretch(trx, from, to, retention, now);
      // The last seconds are folded again, for changes that are not committed yet.
      const cursor = String(Math.max(start, Math.min(to, now - OPEN_MS)));
      await sql`insert into server_meta (key, value) values (${CURSOR}, ${cursor})
        on conflict (key) do update set value = excluded.value`.execute(trx);
      return to;
    });
    if (done === null) return false;
    if (done >= end) return true;
    again = 0;
  }
}

/** The begin of the next stretch; null where there is nothing to count. */
async function startOf(trx: Db): Promise<number | null> {
  const cursor = await trx.selectFrom("server_meta").select("value").where("key", "=", CURSOR)
    .executeTakeFirst();
  if (cursor !== undefined) return Number(cursor.value);
  const { rows: [first] } = await sql<{ at: Date | null }>`select least(
    (select min(created_at) from chat_messages), (select min(created_at) from chat_sessions),
    (select min(created_at) from conversation_events where type = 'conversation_changed')) as at`
    .execute(trx);
  return first?.at?.getTime() ?? null;
}

async function foldStretch(
  trx: Db,
  from: number,
  to: number,
  retention: Retention,
  now: number,
): Promise<void> {
  const hours = await readBusinessHours(trx);
  const range = { from: new Date(from).toISOString(), to: new Date(to).toISOString() };
  const minute = new Date(Math.floor(from / MINUTE_MS) * MINUTE_MS).toISOString();
  const counts: Count[] = await countMessages(trx, { from: minute, to: range.to });
  for (const { kind, found, of } of await findFacts(trx, range)) {
    const facts = found.map((one) => toFact(kind, one, hours));
    const isNew = await insertFacts(trx, facts);
    for (const fact of facts) {
      if (isNew.has(`${fact.subject} ${fact.seq}`)) counts.push(...of(fact));
    }
  }
  await addPoints(trx, counts, retention, now);
  await countConversations(trx, range);
}
