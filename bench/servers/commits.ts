/**
 * Baseline for edits: only the commit. Changes one row per transaction, at the rate of the edits
 * and one at a time; measures the statement with its commit.
 */
import { sql } from "kysely";
import { openDatabase } from "../../db/database.ts";
import { readSettings } from "../../settings.ts";

const { database } = readSettings(Deno.env.toObject());
const { db, close } = await openDatabase({
  url: database.url,
  dataDir: database.dataDir,
  pool: 1,
});
const perSecond = Number(Deno.env.get("BENCH_PER_SECOND"));
const seconds = Number(Deno.env.get("BENCH_SECONDS"));

await sql`create table bench_commits (id integer primary key, n bigint not null)`.execute(db);
await sql`insert into bench_commits values (1, 0)`.execute(db);

async function during(ms: number): Promise<number[]> {
  const times: number[] = [];
  const start = performance.now();
  for (let due = start; due < start + ms; due += 1000 / perSecond) {
    const wait = due - performance.now();
    if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
    const at = performance.now();
    await sql`update bench_commits set n = n + 1 where id = 1`.execute(db);
    times.push(performance.now() - at);
  }
  return times;
}

await during(1000);
console.log(JSON.stringify(await during(seconds * 1000)));
await close();
