import assert from "node:assert/strict";
import { sql } from "kysely";
import pg from "pg";
import { type Change, type ChangeFeed, createChangeFeed } from "../db/change_feed.ts";
import { type OpenDatabase, openDatabase } from "../db/database.ts";
import { unfollowTables } from "../db/followed_tables.ts";
import { uuidv7 } from "../db/uuid.ts";
import { within } from "./support/deadline.ts";
import { type EngineName, makeDatabase } from "./support/server.ts";
import { testWith } from "./support/services.ts";
import { makeDataDir } from "./support/template.ts";

interface Parts {
  database: OpenDatabase;
  url: string | undefined;
  feed: ChangeFeed;
  told: Change[];
  lost: () => number;
  /** Resolves when it holds; looked at whenever something was told. */
  until(holds: () => boolean): Promise<void>;
}

/** A migrated database with a feed that nobody holds. */
function onEngines(engines: EngineName[], name: string, fn: (parts: Parts) => Promise<void>): void {
  for (const engine of engines) {
    testWith(engine === "postgres" ? ["postgres"] : [], `${name} [${engine}]`, async () => {
      const dataDir = await makeDataDir();
      const made = engine === "postgres" ? await makeDatabase() : null;
      const database = await openDatabase({ url: made?.url, dataDir, pool: 6 });
      const told: Change[] = [];
      let lost = 0;
      const waiting = new Set<() => void>();
      const look = () => waiting.forEach((check) => check());
      const feed = createChangeFeed({
        ...database,
        onChanges: (changes) => (told.push(...changes), look()),
        onLost: () => (lost++, look()),
        onError: (error) => assert.fail(String(error)),
        keepMs: 60_000,
        pollMs: 100,
      });
      const until = (holds: () => boolean) => {
        const { promise, resolve } = Promise.withResolvers<void>();
        const check = () => void (holds() && resolve());
        waiting.add(check);
        check();
        return within(promise, "what the feed tells").finally(() => waiting.delete(check));
      };
      try {
        await fn({ database, url: made?.url, feed, told, lost: () => lost, until });
      } finally {
        await feed.stop();
        await database.close();
        await made?.drop();
        await Deno.remove(dataDir, { recursive: true });
      }
    });
  }
}

const addRule = (db: OpenDatabase["db"], name: string) =>
  sql`insert into context_rules (id, name) values (${uuidv7()}, ${name})`.execute(db);
const namesOf = (changes: readonly Change[]) => changes.map((one) => one.new!["name"]);

async function recorded({ db }: OpenDatabase): Promise<unknown[]> {
  const { rows } = await sql<{ name: string }>`select new_row->>'name' as name from changes
    order by xid, n`.execute(db);
  return rows.map(({ name }) => name);
}

/** As if nobody had followed anything for longer than it is kept. */
async function forgetFollowers({ db }: OpenDatabase): Promise<void> {
  await sql`update followed_tables set until = now() - interval '1 second'`.execute(db);
  await unfollowTables(db);
}

onEngines(["pglite", "postgres"], "what nobody follows is not recorded", async (parts) => {
  const { database, feed, until, told, lost } = parts;
  const { db } = database;
  await addRule(db, "before");
  assert.deepEqual(await recorded(database), []);

  const release = await feed.hold(["context_rules"]);
  const begin = await feed.position();
  await addRule(db, "followed");
  await sql`insert into labels (id, name, color) values (${uuidv7()}, 'other', 'red')`.execute(db);
  await until(() => told.length === 1);
  assert.deepEqual(namesOf(told), ["followed"]);
  release();
  // For a while it is recorded all the same, for who was away.
  await addRule(db, "meanwhile");
  const end = await feed.position();
  const missed = await feed.between("context_rules", begin, end, []);
  assert.deepEqual(namesOf(missed!), ["followed", "meanwhile"]);
  assert.equal(await feed.between("labels", begin, end, []), null);

  await forgetFollowers(database);
  assert.deepEqual(await recorded(database), []);
  await addRule(db, "unseen");
  assert.deepEqual(await recorded(database), []);
  assert.equal(await feed.between("context_rules", begin, end, []), null);

  // Whoever follows it again is told that something is missing, although the feed stood still.
  const again = await feed.hold(["context_rules"]);
  const now = await feed.position();
  assert.ok(now > end);
  assert.equal(await feed.between("context_rules", end, now, []), null);
  await addRule(db, "seen");
  await until(() => told.length === 2);
  assert.deepEqual(namesOf(told), ["followed", "seen"]);
  assert.deepEqual(namesOf((await feed.between("context_rules", now, now + 1, []))!), ["seen"]);
  assert.equal(lost(), 0);
  again();
});

onEngines(["postgres"], "a recording that was interrupted is said to be lost", async (parts) => {
  const { database, feed, lost, until, told } = parts;
  const first = await feed.hold(["context_rules"]);
  // As when this process was frozen for longer than it had said that it follows.
  await forgetFollowers(database);
  const second = await feed.hold(["context_rules"]);
  assert.equal(lost(), 1);
  await addRule(database.db, "after");
  await until(() => told.length === 1);
  for (const release of [first, second]) release();
});

async function connect(url: string | undefined): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url });
  client.on("error", () => {});
  await client.connect();
  return client;
}

const ADD = "insert into context_rules (id, name) values (gen_random_uuid(), $1)";

onEngines(["postgres"], "the first follower waits for who writes already", async (parts) => {
  const { url, feed, database, until, told, lost } = parts;
  const [open, late] = [await connect(url), await connect(url)];
  await open.query("begin");
  await open.query(ADD, ["not recorded"]);
  // It has a snapshot from before, and writes only later.
  await late.query("begin isolation level repeatable read");
  await late.query("select count(*) from context_rules");
  let flows = false;
  const holding = feed.hold(["context_rules"]).then((release) => {
    flows = true;
    return release;
  });
  const { db } = database;
  await within(
    (async () => {
      for (;;) {
        const { rows } = await sql`select 1 from followed_tables where since is not null`
          .execute(db);
        if (rows.length > 0) return;
      }
    })(),
    "the table to be recorded",
  );
  assert.equal(flows, false);
  await open.query("commit");
  const release = await holding;
  await late.query(ADD, ["recorded"]);
  await late.query("commit");
  await until(() => told.length === 1);
  assert.deepEqual(namesOf(told), ["recorded"]);
  assert.equal(lost(), 0);
  release();
  for (const client of [open, late]) await client.end();
});

onEngines(["postgres"], "a long transaction from before is said to be lost", async (parts) => {
  const { url, feed, lost, until, told, database } = parts;
  const open = await connect(url);
  await open.query("begin");
  await open.query(ADD, ["not recorded"]);
  const release = await feed.hold(["context_rules"]);
  await addRule(database.db, "recorded");
  await until(() => told.length === 1);
  assert.equal(lost(), 0);
  await open.query("commit");
  await until(() => lost() === 1);
  release();
  await open.end();
});

onEngines(["postgres"], "nothing is lost between following and the first change", async (parts) => {
  const { url, feed, told, until, lost, database } = parts;
  const writers = await Promise.all(Array.from({ length: 4 }, () => connect(url)));
  for (let round = 0; round < 10; round++) {
    let writing = true;
    let written = 0;
    const work = writers.map(async (client, w) => {
      for (let i = 0; writing; i++) {
        const together = i % 3 === 0;
        if (together) await client.query("begin");
        await client.query(ADD, [`${round} ${w} ${i} a`]);
        if (together) {
          await client.query(ADD, [`${round} ${w} ${i} b`]);
          await client.query("commit");
        }
        written++;
      }
    });
    while (written < 20) await new Promise((resolve) => setTimeout(resolve, 1));
    const release = await feed.hold(["context_rules"]);
    // As docs/protocols/native.md says: follow, then read, then apply what came.
    const position = await feed.position();
    const { rows: read } = await sql<{ name: string }>`select name from context_rules`
      .execute(database.db);
    const enough = written + 20;
    while (written < enough) await new Promise((resolve) => setTimeout(resolve, 1));
    writing = false;
    await Promise.all(work);
    const { rows: all } = await sql<{ name: string }>`select name from context_rules`
      .execute(database.db);
    const known = () =>
      new Set([
        ...read.map(({ name }) => name),
        ...told.flatMap((one) => one.id > position ? [String(one.new!["name"])] : []),
      ]);
    await until(() => known().size === all.length);
    release();
    await forgetFollowers(database);
  }
  assert.equal(lost(), 0);
  for (const client of writers) await client.end();
});
