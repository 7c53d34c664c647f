import assert from "node:assert/strict";
import { sql } from "kysely";
import { within } from "../tests/support/deadline.ts";
import { makeDataDir } from "../tests/support/template.ts";
import { type Db, openDatabase } from "./database.ts";
import { nextTask, runTask, startHousekeeping } from "./housekeeping.ts";

async function withDatabase(fn: (db: Db) => Promise<void>): Promise<void> {
  const dataDir = await makeDataDir();
  const { db, close } = await openDatabase({ url: undefined, dataDir, pool: 1 });
  try {
    // The migrations have left something to do.
    for (let task; (task = await nextTask(db)) !== null;) await runTask(db, task);
    await fn(db);
  } finally {
    await close();
    await Deno.remove(dataDir, { recursive: true });
  }
}

const add = (db: Db, count: number) =>
  sql`insert into contacts (id, name) select gen_random_uuid(), 'Visitor ' || n
    from generate_series(1, ${sql.lit(count)}) n`.execute(db);

async function stateOf(db: Db) {
  const { rows: [row] } = await sql<{ rows: number; dead: number }>`
    select c.reltuples::int as rows, s.n_dead_tup::int as dead
    from pg_class c join pg_stat_user_tables s on s.relid = c.oid
    where c.relname = 'contacts'`.execute(db);
  return row!;
}

/** Runs it until nothing is left to do, and returns how a table stands then. */
async function keepHouse(db: Db, isQuiet: boolean, done: () => Promise<boolean>) {
  const house = startHousekeeping({
    db,
    isQuiet: () => isQuiet,
    onError: (error) => assert.fail(String(error)),
    everyMs: 5,
  });
  const waiting = (async () => {
    while (!await done()) await new Promise((resolve) => setTimeout(resolve, 5));
  })();
  await within(waiting, "the housekeeping").finally(() => house.stop());
  return await stateOf(db);
}

Deno.test("dead rows and old statistics are tidied up when it is quiet", () =>
  withDatabase(async (db) => {
    await add(db, 1000);
    await sql`delete from contacts where name ~ '[123]$'`.execute(db);
    assert.equal((await nextTask(db))?.table, "contacts");
    const state = await keepHouse(db, true, async () => await nextTask(db) === null);
    assert.deepEqual(state, { rows: 700, dead: 0 });
    // The writer's own tables are in its care, too.
    await sql`insert into search_queue (messages) select array[gen_random_uuid()]
      from generate_series(1, 500)`.execute(db);
    await sql`delete from search_queue`.execute(db);
    assert.equal((await nextTask(db))?.table, "search_queue");
  }));

Deno.test("while somebody writes only what is overdue is done", () =>
  withDatabase(async (db) => {
    await add(db, 10_000);
    await keepHouse(db, true, async () => await nextTask(db) === null);
    await sql`update contacts set name = name || '!' where name like '%11'`.execute(db);
    await sql`update contacts set name = name || '!'
      where id in (select id from contacts limit 2000)`.execute(db);
    assert.deepEqual(await nextTask(db), { table: "contacts", work: "vacuum" });
    assert.equal(await nextTask(db, false), null);
    let looks = 0;
    const { dead } = await keepHouse(db, false, () => Promise.resolve(++looks > 20));
    assert.ok(dead >= 2000, `${dead} are left for a quiet moment`);
    await sql`update contacts set name = name || '!'`.execute(db);
    const state = await keepHouse(db, false, async () => await nextTask(db, false) === null);
    assert.deepEqual(state, { rows: 10_000, dead: 0 });
    // A table that takes long is left alone for longer.
    await sql`update pg_class set relpages = 100000 where relname = 'contacts'`.execute(db);
    await sql`update contacts set name = name || '!'`.execute(db);
    assert.equal(await nextTask(db, false), null);
    for (let i = 0; i < 6; i++) await sql`update contacts set name = name || '!'`.execute(db);
    assert.equal((await nextTask(db, false))?.table, "contacts");
  }));
