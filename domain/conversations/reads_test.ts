import assert from "node:assert/strict";
import { type CompiledQuery, sql } from "kysely";
import { type Db, openDatabase } from "../../db/database.ts";
import { uuidv7 } from "../../db/uuid.ts";
import { makeDataDir } from "../../tests/support/template.ts";
import { createEventBus } from "../events.ts";
import { type Actor, SYSTEM } from "./unit_of_work.ts";
import { unreadCounts } from "./unread.ts";
import { createReads } from "./reads.ts";
import { createWriter } from "./writer.ts";

const CONVERSATIONS = 20;

/** Conversations of which the n-th has n messages of its visitor, and as many notes behind them. */
async function withConversations(
  fn: (parts: { db: Db; ids: string[]; asked: () => number }) => Promise<void>,
): Promise<void> {
  const dataDir = await makeDataDir();
  let queries = 0;
  const { db, epoch, close } = await openDatabase({
    url: undefined,
    dataDir,
    pool: 1,
    onQuery: () => queries++,
  });
  try {
    const bus = createEventBus((error) => assert.fail(String(error)));
    const writer = createWriter({ db, bus, epoch, maxPending: 10_000 });
    const ids = Array.from({ length: CONVERSATIONS }, () => uuidv7());
    const contacts = ids.map((id) => ({ id, name: "Vi" }));
    await db.insertInto("contacts").values(contacts).execute();
    await db.insertInto("conversations").values(ids.map((id) => ({ id, contact_id: id })))
      .execute();
    const write = (conversationId: string, role: Actor["role"], content: string) =>
      writer.write({
        kind: "message",
        conversationId,
        actor: { ...SYSTEM, userId: conversationId, userName: "Vi", role },
        content,
        clientMessageId: null,
        isPrivate: role === "agent",
      });
    for (const role of ["visitor", "agent"] as const) {
      await Promise.all(
        ids.flatMap((id, n) =>
          Array.from({ length: n }, (_, i) => write(id, role, `${role} ${i + 1}`))
        ),
      );
    }
    queries = 0;
    await fn({ db, ids, asked: () => queries });
  } finally {
    await close();
    await Deno.remove(dataDir, { recursive: true });
  }
}

Deno.test("what many read at once takes a query of each kind, and each gets their own", () =>
  withConversations(async ({ db, ids, asked }) => {
    const reads = createReads(db);
    const unknown = uuidv7();
    const rows = await Promise.all([...ids, unknown, ids[3]!].map(reads.conversation));
    assert.equal(asked(), 1);
    assert.deepEqual(
      rows.map((row) => row && [row.id, row.last_seq]),
      [...ids.map((id, n) => [id, 2 * n]), null, [ids[3]!, 6]],
    );

    const logs = await Promise.all(
      ids.map((conversationId, n) => reads.log({ conversationId, after: 2, upTo: 2 * n })),
    );
    assert.equal(asked(), 3);
    for (const [n, log] of logs.entries()) {
      const seqs = Array.from({ length: Math.max(0, 2 * n - 2) }, (_, i) => i + 3);
      assert.deepEqual(log.map(({ event }) => event.seq), seqs);
      assert.deepEqual(log.map(({ message }) => message?.seq), seqs);
      assert.ok(log.every(({ event }) => event.conversation_id === ids[n]));
    }

    const pages = await Promise.all(
      ids.map((conversationId, n) =>
        reads.latest({ conversationId, publicOnly: n % 2 === 0, upTo: 2 * n - 1, limit: 5 })
      ),
    );
    assert.equal(asked(), 4);
    for (const [n, { rows, hasMore }] of pages.entries()) {
      // Up to one before the end: the last note is not there.
      const last = n % 2 === 0 ? n : 2 * n - 1;
      const seqs = Array.from({ length: last }, (_, i) => i + 1);
      assert.deepEqual(rows.map((row) => row.seq), seqs.slice(-5), `conversation ${n}`);
      assert.equal(hasMore, last > 5);
    }

    const [ada, bea] = [uuidv7(), uuidv7()];
    await db.insertInto("participants").values(ids.map((id, n) => ({
      conversation_id: id,
      user_id: ada,
      role: "agent" as const,
      read_inbound: n,
    }))).execute();
    const before = asked();
    const all = CONVERSATIONS * (CONVERSATIONS - 1) / 2;
    assert.deepEqual(await Promise.all([ada, bea, ada].map(reads.totalUnread)), [0, all, 0]);
    assert.equal(asked() - before, 1);
  }));

Deno.test("counting what is unread does not look at conversations that are resolved", () =>
  withConversations(async ({ db }) => {
    await sql`insert into contacts (id, name)
      select gen_random_uuid(), 'Vi' from generate_series(1, 5000)`.execute(db);
    await sql`insert into conversations (id, contact_id, status, platform)
      select gen_random_uuid(), id, 'resolved', 'email' from contacts`.execute(db);
    await sql`vacuum analyze conversations`.execute(db);
    const asked: CompiledQuery[] = [];
    const listening = db.withPlugin({
      transformQuery({ node, queryId }) {
        asked.push(db.getExecutor().compileQuery(node, queryId));
        return node;
      },
      transformResult: ({ result }) => Promise.resolve(result),
    });
    await unreadCounts(listening, [uuidv7()]);
    const [query] = asked;
    const { rows } = await db.executeQuery<{ "QUERY PLAN": string }>({
      ...query!,
      sql: `explain ${query!.sql}`,
    });
    const plan = rows.map((row) => row["QUERY PLAN"]).join("\n");
    assert.match(plan, /Index Only Scan using conversations_unresolved/);
    assert.doesNotMatch(plan, /Seq Scan on conversations/);
  }));
