import assert from "node:assert/strict";
import { sql } from "kysely";
import { makeDatabase } from "../tests/support/server.ts";
import { testWith } from "../tests/support/services.ts";
import { type DatabaseTimeouts, openDatabase } from "./database.ts";
import { DatabaseUnavailable } from "./database_error.ts";

const TIMEOUTS: DatabaseTimeouts = {
  statement: 900,
  lock: 200,
  idleTransaction: 1000,
  connect: 5000,
  query: 5000,
  keepAlive: 10_000,
  job: 60_000,
};

/** "K", and how long it is: what tells a client the process that serves it. */
const BACKEND_KEY = [0x4b, 0, 0, 0, 12];

/** Like a pooler in one thing: the process that it names is not the one that serves. */
function openPooler(target: string): { url: string; close(): Promise<void> } {
  const url = new URL(target);
  const server = { hostname: url.hostname, port: Number(url.port || 5432) };
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  url.host = `127.0.0.1:${(listener.addr as Deno.NetAddr).port}`;
  const renamed = () =>
    new TransformStream<Uint8Array, Uint8Array>({
      transform(chunk, controller) {
        const at = chunk.findIndex((_, i) => BACKEND_KEY.every((byte, n) => chunk[i + n] === byte));
        const copy = chunk.slice();
        if (at >= 0) copy[at + 5]! ^= 0x40;
        controller.enqueue(copy);
      },
    });
  const pipes: Promise<unknown>[] = [];
  const accepting = (async () => {
    for await (const client of listener) {
      const upstream = await Deno.connect(server);
      pipes.push(
        Promise.allSettled([
          client.readable.pipeTo(upstream.writable),
          upstream.readable.pipeThrough(renamed()).pipeTo(client.writable),
        ]),
      );
    }
  })();
  return {
    url: url.href,
    async close() {
      listener.close();
      await accepting;
      await Promise.all(pipes);
    },
  };
}

async function kindOf(work: Promise<unknown>): Promise<string> {
  const error = await work.then(() => null, (error) => error);
  assert.ok(error instanceof DatabaseUnavailable, String(error));
  assert.equal(error.code, "unavailable");
  assert.ok(error.retryAfter! > 0);
  return error.kind;
}

const shown = sql<{ statement: string; lock: string; idle: string }>`
  select current_setting('statement_timeout') as statement, current_setting('lock_timeout') as lock,
    current_setting('idle_in_transaction_session_timeout') as idle`;

testWith(
  ["postgres"],
  "timeouts hold in a session, and behind a pooler in each transaction",
  async () => {
    const made = await makeDatabase();
    const pooler = openPooler(made.url);
    const wanted = { statement: "900ms", lock: "200ms", idle: "1s" };
    try {
      for (const url of [made.url, pooler.url]) {
        const { db, jobs, close } = await openDatabase({
          url,
          dataDir: "/nonexistent",
          pool: 3,
          timeouts: TIMEOUTS,
        });
        const outside = (await shown.execute(db)).rows[0]!;
        const inside = await db.transaction().execute(async (trx) =>
          (await shown.execute(trx)).rows
        );
        assert.deepEqual(inside[0], wanted);
        // A pooler would give what is set outside of a transaction to other programs.
        const isDirect = url === made.url;
        assert.deepEqual(outside, isDirect ? wanted : { statement: "0", lock: "0", idle: "0" });
        const long = await jobs.transaction().execute(async (trx) =>
          (await shown.execute(trx)).rows
        );
        assert.deepEqual(long[0], { statement: "1min", lock: "0", idle: "1s" });
        if (isDirect) await troubles(db);
        await close();
      }
    } finally {
      await pooler.close();
      await made.drop();
    }
  },
);

async function troubles(db: Awaited<ReturnType<typeof openDatabase>>["db"]): Promise<void> {
  assert.equal(await kindOf(sql`select pg_sleep(20)`.execute(db)), "statement_timeout");
  // Data are to blame for what they are to blame for.
  await assert.rejects(sql`select 1 / 0`.execute(db), { code: "22012" });
  await db.transaction().execute(async (trx) => {
    await sql`lock table contacts`.execute(trx);
    assert.equal(await kindOf(db.selectFrom("contacts").select("id").execute()), "lock_timeout");
  });
  // Whoever stands still in a transaction loses it, and with it the lock.
  const { promise: locked, resolve } = Promise.withResolvers<void>();
  const frozen = db.transaction().execute(async (trx) => {
    await sql`lock table contacts`.execute(trx);
    resolve();
    await new Promise((resolve) => setTimeout(resolve, 2500));
  });
  const lost = kindOf(frozen);
  await locked;
  const deadline = Date.now() + 10_000;
  for (;;) {
    const error = await db.selectFrom("contacts").select("id").execute().then(() => null, (e) => e);
    if (error === null) break;
    assert.ok(error instanceof DatabaseUnavailable && Date.now() < deadline, String(error));
  }
  assert.equal(await lost, "idle_transaction");
}
