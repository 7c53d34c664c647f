/** Retention of changes for clients that reconnect: by time, and by number. */
import { sql } from "kysely";
import type { Db } from "./types.ts";

/** Key of the advisory lock of the process that removes changes ("prge" in ASCII). */
const LOCK_KEY = 0x70726765;

/** Transactions that one statement removes, so that none takes long. */
const CHUNK = 200;

/** In server_meta: the id up to which changes are forgotten. No client can resume from before it. */
export const FORGOTTEN = "changes_forgotten";

export interface Retention {
  /** Milliseconds for which a change is kept, unless there are too many. */
  keepMs: number;
  /** Maximum number of changes. */
  maxChanges: number;
}

/**
 * Forgets what is past the retention, unless another process is doing it.
 *
 * @returns how many transactions were forgotten.
 */
export async function forgetOldChanges(db: Db, retention: Retention): Promise<number> {
  let forgotten = 0;
  for (;;) {
    const count = await db.transaction().execute((trx) => forgetChunk(trx, retention));
    forgotten += count;
    if (count < CHUNK) return forgotten;
  }
}

async function forgetChunk(trx: Db, { keepMs, maxChanges }: Retention): Promise<number> {
  const lock = await sql<{ mine: boolean }>`
    select pg_try_advisory_xact_lock(${sql.lit(LOCK_KEY)}) as mine`.execute(trx);
  if (!lock.rows[0]!.mine) return 0;
  const { rows } = await sql<{ count: number }>`
    with oldest as (
      select xid, last, committed_at from change_commits order by last limit ${CHUNK}
    ), old as (
      select xid, last from oldest
      where committed_at < now() - make_interval(secs => ${keepMs / 1000})
        or last <= (select max(last) from change_commits) - ${maxChanges}::bigint
    ), gone as (
      delete from changes where xid in (select xid from old)
    ), committed as (
      delete from change_commits where xid in (select xid from old) returning last
    ), marked as (
      insert into server_meta as m (key, value)
      select ${FORGOTTEN}, max(last)::text from committed having count(*) > 0
      on conflict (key) do update
        set value = greatest(m.value::bigint, excluded.value::bigint)::text
    )
    select count(*)::int as count from committed`.execute(trx);
  return rows[0]!.count;
}

/** Forgets all changes, because a new epoch begins. */
export async function forgetChanges(trx: Db): Promise<void> {
  await sql`truncate changes, change_commits`.execute(trx);
  await sql`insert into server_meta (key, value)
    select ${FORGOTTEN}, (case when is_called then last_value else 0 end)::text from change_ids
    on conflict (key) do update set value = excluded.value`.execute(trx);
}

/**
 * Removes the texts of deleted messages from earlier changes of messages, and from the previews in
 * changes of conversations. Handles deletions with ids above `after`.
 *
 * @returns the `after` of the next call.
 */
export async function scrubDeletedTexts(db: Db, after: number): Promise<number> {
  return await db.transaction().execute(async (trx) => {
    const { rows } = await sql<{ upTo: number | null; some: boolean }>`
      select (select max(last) from change_commits) as "upTo",
        exists (${deletions(after)}) as some`.execute(trx);
    const { upTo, some } = rows[0]!;
    if (some) {
      await sql`update changes c set old_row = c.old_row || '{"content": ""}',
          new_row = c.new_row || '{"content": ""}'
        from (${deletions(after)}) as gone
        where c.table_name = 'chat_messages' and coalesce(c.new_row, c.old_row)->>'id' = gone.id
          and (c.old_row->>'content' <> '' or c.new_row->>'content' <> '')`.execute(trx);
      for (const side of ["old_row", "new_row"]) {
        const row = sql.ref(`c.${side}`);
        await sql`update changes c
          set ${sql.ref(side)} = ${row} || '{"last_message_preview": ""}'
          from (${deletions(after)}) as gone
          where c.table_name = 'conversations' and ${row}->>'id' = gone.conversation_id
            and ${row}->>'last_message_seq' = gone.seq
            and ${row}->>'last_message_preview' <> ''`.execute(trx);
      }
    }
    return upTo ?? after;
  });
}

function deletions(after: number) {
  return sql`select distinct coalesce(d.new_row, d.old_row)->>'id' as id,
      coalesce(d.new_row, d.old_row)->>'conversation_id' as conversation_id,
      coalesce(d.new_row, d.old_row)->>'seq' as seq
    from change_commits m join changes d on d.xid = m.xid
    where m.last > ${after} and d.table_name = 'chat_messages'
      and (d.event = 'DELETE' or d.new_row->>'deleted_at' is not null)`;
}
