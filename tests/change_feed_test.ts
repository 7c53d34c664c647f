import assert from "node:assert/strict";
import { setImmediate } from "node:timers";
import { sql } from "kysely";
import { type Change, createChangeFeed } from "../db/change_feed.ts";
import { forgetOldChanges, scrubDeletedTexts } from "../db/change_retention.ts";
import { type OpenDatabase, openDatabase } from "../db/database.ts";
import { uuidv7 } from "../db/uuid.ts";
import { type EngineName, makeDatabase } from "./support/server.ts";
import { testWith } from "./support/services.ts";
import { TABLES } from "../protocol/tables.ts";
import { makeDataDir } from "./support/template.ts";

interface Parts extends OpenDatabase {
  /** What the feed has told so far. */
  told: Change[];
  /** How many changes came at once, and in which turn of the event loop. */
  calls: { count: number; turn: number }[];
  until(count: number): Promise<Change[]>;
  feed: ReturnType<typeof createChangeFeed>;
  lost: () => number;
}

/** A migrated database with a feed that is read, without a server. */
function onEngines(name: string, fn: (parts: Parts) => Promise<void>): void {
  for (const engine of ["pglite", "postgres"] as EngineName[]) {
    testWith(engine === "postgres" ? ["postgres"] : [], `${name} [${engine}]`, async () => {
      const dataDir = await makeDataDir();
      const made = engine === "postgres" ? await makeDatabase() : null;
      const database = await openDatabase({ url: made?.url, dataDir, pool: 4 });
      const told: Change[] = [];
      const calls: Parts["calls"] = [];
      let turn = 0;
      let lost = 0;
      let wake = () => {};
      const feed = createChangeFeed({
        ...database,
        onChanges: (changes) => {
          told.push(...changes);
          calls.push({ count: changes.length, turn });
          setImmediate(() => turn++);
          wake();
        },
        onLost: () => {
          lost++;
          wake();
        },
        onError: (error) => assert.fail(String(error)),
        keepMs: 60_000,
        pollMs: 100,
      });
      try {
        const release = await feed.hold(TABLES);
        await fn({
          ...database,
          told,
          calls,
          feed,
          lost: () => lost,
          async until(count) {
            const deadline = Date.now() + 30_000;
            while (told.length < count) {
              const left = deadline - Date.now();
              assert.ok(left > 0, `waited for ${count} changes, got ${told.length}`);
              let timer: ReturnType<typeof setTimeout> | undefined;
              await new Promise<void>((resolve) => {
                wake = resolve;
                timer = setTimeout(resolve, left);
              });
              clearTimeout(timer);
            }
            return told;
          },
        });
        release();
      } finally {
        await feed.stop();
        await database.close();
        await made?.drop();
        await Deno.remove(dataDir, { recursive: true });
      }
    });
  }
}

onEngines(
  "many changes are passed on a few at a time, with a turn between for sockets",
  async ({ db, calls, until }) => {
    await sql`insert into labels (id, name, color)
      select gen_random_uuid(), 'label ' || n, 'red' from generate_series(1, 450) n`.execute(db);
    const told = await until(450);
    assert.equal(new Set(told.map(({ id }) => id)).size, 450);
    assert.ok(calls.every(({ count }) => count <= 25), "no more than sockets send at once");
    assert.equal(new Set(calls.map(({ turn }) => turn)).size, calls.length, "a turn for each");
  },
);

onEngines(
  "insert, update and delete of all seven tables are told, in this order",
  async (parts) => {
    const { db, until } = parts;
    const [user, contact, widget, session, conversation, message, rule, notification, label] = Array
      .from({ length: 9 }, () => uuidv7());
    const run = async (text: string) => void await sql.raw(text).execute(db);
    await run(`insert into users (id, email, name, password_hash, role)
    values ('${user}', 'a@b.c', 'A', 'x', 'agent')`);
    await run(`insert into contacts (id, name) values ('${contact}', 'V')`);
    const rows: [string, string, string, string][] = [
      ["widget_configs", widget!, "name, widget_key, secret", "'w', 'wk', 'TOP SECRET'"],
      [
        "chat_sessions",
        session!,
        "session_id, widget_id, contact_id, expires_at",
        `'HASHED SECRET', '${widget}', '${contact}', now()`,
      ],
      ["conversations", conversation!, "contact_id", `'${contact}'`],
      [
        "chat_messages",
        message!,
        "conversation_id, seq, session_id, sender_id, sender_role, sender_name, type, content, " +
        "platform, inbound_count, outbound_count, created_at",
        `'${conversation}', 1, 'HASHED SECRET', '${contact}', 'visitor', 'V', 'text', 'Hello', 'web', 1, 0, now()`,
      ],
      ["context_rules", rule!, "name", "'r'"],
      ["notifications", notification!, "user_id, kind, title", `'${user}', 'k', 't'`],
      ["labels", label!, "name, color", "'l', 'red'"],
    ];
    for (const [table, id, columns, values] of rows) {
      await run(`insert into ${table} (id, ${columns}) values ('${id}', ${values})`);
    }
    for (const [table, id] of rows) {
      await run(`update ${table} set created_at = '2001-02-03 04:05:06+02' where id = '${id}'`);
    }
    for (const [table, id] of rows.toReversed()) {
      await run(`delete from ${table} where id = '${id}'`);
    }
    const told = await until(21);
    const inOrder = rows.map(([table]) => table);
    assert.deepEqual(told.map(({ table, event }) => `${event} ${table}`), [
      ...inOrder.map((table) => `INSERT ${table}`),
      ...inOrder.map((table) => `UPDATE ${table}`),
      ...inOrder.toReversed().map((table) => `DELETE ${table}`),
    ]);
    told.forEach(({ id }, i) => assert.ok(i === 0 || id === told[i - 1]!.id + 1, `id ${id}`));
    for (const { event, old, new: after } of told) {
      assert.equal(old === null, event === "INSERT");
      assert.equal(after === null, event === "DELETE");
    }
    const updated = told.find((one) => one.event === "UPDATE" && one.table === "context_rules")!;
    assert.equal(updated.new!["id"], rule);
    assert.notEqual(updated.old!["created_at"], updated.new!["created_at"]);
    // Not in what is told, and not in what is kept.
    const kept = await sql<{ all: string }>`
    select string_agg(coalesce(old_row::text, '') || coalesce(new_row::text, ''), '') as all
    from changes`.execute(db);
    for (const text of [JSON.stringify(told), kept.rows[0]!.all]) {
      assert.ok(text.includes("Hello"));
      assert.ok(!text.includes("SECRET"), text);
    }
    const said = told.find((one) => one.event === "INSERT" && one.table === "chat_messages")!;
    assert.equal(said.new!["session_id"], session);
    assert.equal(said.new!["contact_id"], contact);
  },
);

onEngines("a transaction is told whole and once it commits, or not at all", async (parts) => {
  const { db, until, told, feed } = parts;
  const add = (name: string) =>
    `insert into context_rules (id, name) values
    (gen_random_uuid(), '${name}')`;
  await assert.rejects(
    db.transaction().execute(async (trx) => {
      await sql.raw(add("never")).execute(trx);
      throw new Error("rolled back");
    }),
  );
  await db.transaction().execute(async (trx) => {
    for (
      const statement of [
        add("one"),
        "savepoint s",
        add("gone"),
        "rollback to s",
        add("two"),
        "savepoint t",
        add("three"),
        "release t",
      ]
    ) await sql.raw(statement).execute(trx);
  });
  await sql.raw("update context_rules set position = 7 where name = 'nobody'").execute(db);
  await sql.raw(add("four")).execute(db);
  await until(4);
  assert.deepEqual(told.map((one) => one.new!["name"]), ["one", "two", "three", "four"]);
  assert.deepEqual(told.map((one) => one.id - told[0]!.id), [0, 1, 2, 3]);
  assert.equal(await feed.position(), told[3]!.id);
});

onEngines("many rows in one statement, and a row with a new id", async ({ db, until, feed }) => {
  await sql.raw(`insert into context_rules (id, name, position)
    select gen_random_uuid(), 'r' || n, n from generate_series(1, 700) n`).execute(db);
  // From the middle of a transaction on.
  const inserted = (await until(700)).map(({ id }) => id);
  const rest = await feed.between("context_rules", inserted[349]!, inserted[698]!, []);
  assert.deepEqual(rest!.map(({ id }) => id), inserted.slice(350, 699));
  await sql.raw("update context_rules set position = position + 1").execute(db);
  const told = [...await until(1400)];
  assert.deepEqual(told.slice(0, 700).map((one) => one.new!["position"]), [...range(1, 700)]);
  for (const { event, old, new: after } of told.slice(700)) {
    assert.equal(event, "UPDATE");
    assert.equal(after!["id"], old!["id"]);
    assert.equal(after!["position"], (old!["position"] as number) + 1);
  }
  await sql.raw("update context_rules set id = gen_random_uuid() where name = 'r5'").execute(db);
  await until(1402);
  await sql.raw("delete from context_rules").execute(db);
  const all = await until(2102);
  assert.deepEqual(all.slice(1400, 1402).map(({ event }) => event).sort(), ["DELETE", "INSERT"]);
  assert.equal(new Set(all.map(({ id }) => id)).size, 2102);
});

function* range(from: number, to: number): Generator<number> {
  for (let n = from; n <= to; n++) yield n;
}

onEngines("old changes are forgotten by number and by time, and that is known", async (parts) => {
  const { db, until, feed } = parts;
  for (const name of ["a", "b", "c", "d"]) {
    await sql`insert into context_rules (id, name) values (${uuidv7()}, ${name})`.execute(db);
  }
  const [a, b, , d] = (await until(4)).map(({ id }) => id);
  const names = async (after: number) =>
    (await feed.between("context_rules", after, d!, []))?.map((one) => one.new!["name"]);
  const hour = 3_600_000;
  assert.equal(await forgetOldChanges(db, { keepMs: hour, maxChanges: 1000 }), 0);
  assert.deepEqual(await names(a! - 1), ["a", "b", "c", "d"]);
  // Seven are those in which the tables began to be recorded.
  assert.equal(await forgetOldChanges(db, { keepMs: hour, maxChanges: 2 }), 7 + 2);
  assert.equal(await names(a!), undefined);
  assert.deepEqual(await names(b!), ["c", "d"]);
  await sql`update change_commits set committed_at = now() - interval '2 hours'`.execute(db);
  assert.equal(await forgetOldChanges(db, { keepMs: hour, maxChanges: 1000 }), 2);
  assert.equal(await names(b!), undefined);
  assert.deepEqual(await names(d!), []);
  assert.equal(await feed.position(), d);
  const left = await sql<{ n: number }>`
    select (select count(*) from changes)::int + (select count(*) from change_commits)::int as n`
    .execute(db);
  assert.equal(left.rows[0]!.n, 0);
});

onEngines("a deleted text is taken out of what is kept", async ({ db, until }) => {
  const [contact, conversation] = [uuidv7(), uuidv7()];
  const run = async (text: string) => void await sql.raw(text).execute(db);
  const message = (seq: number, content: string) =>
    run(`insert into chat_messages (id, conversation_id, seq, sender_id, sender_role, sender_name,
      type, content, platform, inbound_count, outbound_count, created_at) values ('${uuidv7()}',
      '${conversation}', ${seq}, 'x', 'agent', 'X', 'text', '${content}', 'web', 0, 0, now())`);
  const preview = (seq: number, text: string) =>
    run(`update conversations set last_message_seq = ${seq}, last_message_preview = '${text}'`);
  await run(`insert into contacts (id, name) values ('${contact}', 'V')`);
  await run(`insert into conversations (id, contact_id) values ('${conversation}', '${contact}')`);
  await message(1, "SECRET");
  await preview(1, "SECRET");
  await message(2, "kept");
  await preview(2, "kept");
  await run("update chat_messages set content = 'SECRET again' where seq = 1");
  const kept = async () =>
    (await sql<{ row: string }>`select coalesce(old_row::text, '') || coalesce(new_row::text, '')
      as row from changes order by xid, n`.execute(db)).rows.map(({ row }) => row);
  const position = await scrubDeletedTexts(db, 0);
  assert.equal((await kept()).filter((row) => row.includes("SECRET")).length, 4);
  await run("update chat_messages set content = '', deleted_at = now() where seq = 1");
  const told = await until(7);
  assert.equal(position, told[5]!.id);
  assert.equal(await scrubDeletedTexts(db, position), told[6]!.id);
  const after = await kept();
  assert.deepEqual(after.filter((row) => row.includes("SECRET")), []);
  assert.equal(after.filter((row) => row.includes("kept")).length, 2);
  assert.equal(after.length, 7);
});

onEngines("a reader that is behind what is forgotten says so and goes on", async (parts) => {
  const { db, until, feed, lost, told } = parts;
  const add = (name: string) =>
    sql`insert into context_rules (id, name) values (${uuidv7()}, ${name})`.execute(db);
  await db.transaction().execute(async (trx) => {
    await sql`insert into context_rules (id, name) values (${uuidv7()}, 'unseen')`.execute(trx);
    // As if it had been there and forgotten while this process slept.
    await sql`insert into server_meta (key, value)
      values ('changes_forgotten', (select last_value + 1000 from change_ids)::text)
      on conflict (key) do update set value = excluded.value`.execute(trx);
    await sql`select setval('change_ids', 5000)`.execute(trx);
  });
  while (lost() === 0) await new Promise((resolve) => setTimeout(resolve, 10));
  await add("seen");
  await until(1);
  assert.deepEqual(told.map((one) => one.new!["name"]), ["seen"]);
  assert.equal(await feed.position(), told[0]!.id);
});

testWith(["postgres"], "changes of another history are forgotten with the epoch", async () => {
  const { url, drop } = await makeDatabase();
  const dataDir = await makeDataDir();
  try {
    const first = await openDatabase({ url, dataDir, pool: 2 });
    await sql`insert into context_rules (id, name) values (${uuidv7()}, 'old')`.execute(first.db);
    const [row] = (await sql<{ last: number }>`select max(last) as last from change_commits`
      .execute(first.db)).rows;
    // What a restored dump looks like: the recorded place is another one.
    await sql`update server_meta set value = 'elsewhere' where key = 'epoch_place'`
      .execute(first.db);
    await first.close();
    const second = await openDatabase({ url, dataDir, pool: 2 });
    assert.notEqual(second.epoch, first.epoch);
    const quiet = { onChanges() {}, onLost() {}, onError() {}, keepMs: 60_000 };
    const feed = createChangeFeed({ ...second, ...quiet });
    assert.equal(await feed.between("context_rules", 0, 100, []), null);
    assert.ok(await feed.position() >= row!.last);
    await feed.stop();
    await second.close();
  } finally {
    await drop();
    await Deno.remove(dataDir, { recursive: true });
  }
});

onEngines("a feed that stops while it starts leaves nothing running", async ({ db, listen }) => {
  const late = Promise.withResolvers<void>();
  const feed = createChangeFeed({
    db,
    async listen(...what: Parameters<typeof listen>) {
      await late.promise;
      return await listen(...what);
    },
    onChanges: () => {},
    onLost: () => {},
    onError: (error) => assert.fail(String(error)),
    keepMs: 60_000,
    pollMs: 100,
  });
  const held = feed.hold(["chat_messages"]).then((release) => release(), () => {});
  const stopped = feed.stop();
  late.resolve();
  // A timer that is left would be a leak of this test.
  await Promise.all([held, stopped]);
});
