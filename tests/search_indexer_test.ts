import assert from "node:assert/strict";
import { sql } from "kysely";
import { type Db, openDatabase } from "../db/database.ts";
import { uuidv7 } from "../db/uuid.ts";
import { createEventBus } from "../domain/events.ts";
import { createSearchIndexer } from "../domain/search/indexer.ts";
import { within } from "./support/deadline.ts";
import { call, cast } from "./support/http.ts";
import { type EngineName, makeDatabase, onBothEngines } from "./support/server.ts";
import { testWith } from "./support/services.ts";
import { connect } from "./support/socket.ts";
import { makeDataDir } from "./support/template.ts";
import type { SearchResponse } from "../protocol/search.ts";

onBothEngines("each message is found right after its ack, while many come in", async (server) => {
  const { agent, visitor, conversation } = await cast(server);
  const writer = await connect(server, { token: agent.token });
  const flood = await connect(server, { sessionId: visitor.sessionId });
  let writing = true;
  let flooded = 0;
  const flooding = (async () => {
    // About 500 in a second.
    for (let due = performance.now(); writing; due += 10) {
      const sent = Array.from({ length: 5 }, () =>
        flood.ack("message", {
          conversationId: conversation.id,
          content: "The parcel arrived yesterday, but the lamp in it is broken",
          clientMessageId: `f${flooded++}`,
        }));
      await Promise.all(sent);
      const wait = due - performance.now();
      if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
    }
  })();
  // It is awaited at the end; until then its failure is nobody's.
  flooding.catch(() => {});
  const find = async (q: string) => {
    const path = `/api/search?${new URLSearchParams({ q, kind: "messages" })}`;
    const { body } = await call<SearchResponse>(server, "GET", path, { token: agent.token });
    return body.messages!.items.map(({ id }) => id);
  };
  try {
    for (let i = 0; i < 40; i++) {
      const { message } = await writer.ack("message", {
        conversationId: conversation.id,
        content: `Order zebra${i}x is on its way`,
        clientMessageId: `s${i}`,
      });
      assert.deepEqual(await find(`zebra${i}x`), [message.id]);
      const about = { conversationId: conversation.id, messageId: message.id };
      await writer.ack("edit_message", { ...about, content: `Order giraffe${i}x` });
      assert.deepEqual(await find(`zebra${i}x`), []);
      assert.deepEqual(await find(`giraffe${i}x`), [message.id]);
      if (i % 3 === 0) {
        await writer.ack("delete_message", about);
        assert.deepEqual(await find(`giraffe${i}x`), []);
      }
    }
  } finally {
    writing = false;
    await flooding;
  }
  assert.ok(flooded > 100);
  await Promise.all([writer.close(), flood.close()]);
}, { LIMIT_MESSAGES_PER_MINUTE: "1000000", LIMIT_ROOM_BROADCASTS_PER_MINUTE: "1000000" });

interface Parts {
  db: Db;
  /** An indexer of its own, as of another node. */
  start(hasSpace?: () => boolean): { stop(): Promise<void> };
  /** Waits until nothing is left for it. */
  indexed(): Promise<void>;
  conversationId: string;
}

function onEngines(name: string, fn: (parts: Parts) => Promise<void>): void {
  for (const engine of ["pglite", "postgres"] as EngineName[]) {
    testWith(engine === "postgres" ? ["postgres"] : [], `${name} [${engine}]`, async () => {
      const dataDir = await makeDataDir();
      const made = engine === "postgres" ? await makeDatabase() : null;
      const { db, close } = await openDatabase({ url: made?.url, dataDir, pool: 4 });
      const [contact, conversationId] = [uuidv7(), uuidv7()];
      try {
        await db.insertInto("contacts").values({ id: contact, name: "Vi" }).execute();
        await db.insertInto("conversations").values({ id: conversationId, contact_id: contact })
          .execute();
        await fn({
          db,
          conversationId,
          start: (hasSpace) =>
            createSearchIndexer({
              hasSpace: hasSpace ?? (() => true),
              db,
              bus: createEventBus((error) => assert.fail(String(error))),
              step: 50,
              onError: (error) => assert.fail(String(error)),
            }),
          async indexed() {
            const waiting = (async () => {
              for (;;) {
                const { rows } = await sql`select 1 from search_queue limit 1`.execute(db);
                if (rows.length === 0) return;
                await new Promise((resolve) => setTimeout(resolve, 20));
              }
            })();
            await within(waiting, "the index to be complete");
          },
        });
      } finally {
        await close();
        await made?.drop();
        await Deno.remove(dataDir, { recursive: true });
      }
    });
  }
}

const insert = (db: Db, conversationId: string, from: number, to: number) =>
  sql`insert into chat_messages (id, conversation_id, seq, sender_id, sender_role, sender_name,
      type, content, platform, inbound_count, outbound_count, created_at)
    select gen_random_uuid(), ${conversationId}, n, 'x', 'agent', 'X', 'text', 'word' || n, 'web',
      0, 0, now() from generate_series(${sql.lit(from)}, ${sql.lit(to)}) n`.execute(db);

async function found(db: Db, word: string): Promise<number> {
  const { rows } = await sql`select m.id
    from find_messages(${word}, 'ffffffff-ffff-ffff-ffff-ffffffffffff', 100) f(id)
    join chat_messages m on m.id = f.id`.execute(db);
  return rows.length;
}

/** How many messages the index has, and how many of those that are there it says the truth of. */
async function indexOf(db: Db) {
  const { rows: [row] } = await sql<{ words: number; right: number }>`
    select (select count(*)::int from message_words) as words, (
      select count(*)::int from message_words w join chat_messages m on m.id = w.id
      where w.words = search_lexemes(m.content)
    ) as right`.execute(db);
  return row!;
}

onEngines("what a process left behind is indexed by the next one", async (parts) => {
  const { db, conversationId, start, indexed } = parts;
  await insert(db, conversationId, 1, 1200);
  assert.deepEqual(await indexOf(db), { words: 0, right: 0 });
  assert.equal(await found(db, "word77"), 11);
  // One that ends in the middle of its work.
  const first = start();
  const some = (async () => {
    while ((await indexOf(db)).words === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  })();
  await within(some, "the first step");
  await first.stop();
  assert.ok((await indexOf(db)).words < 1200);
  assert.equal(await found(db, "word77"), 11);

  const others = [start(), start()];
  await indexed();
  assert.deepEqual(await indexOf(db), { words: 1200, right: 1200 });
  assert.equal(await found(db, "word77"), 11);
  await Promise.all(others.map((one) => one.stop()));
});

onEngines("psql's edits and deletions come into the index, too", async (parts) => {
  const { db, conversationId, start, indexed } = parts;
  await insert(db, conversationId, 1, 300);
  const indexer = start();
  await indexed();
  await sql`update chat_messages set content = 'other' || seq where seq <= 100`.execute(db);
  await sql`update chat_messages set content = '', deleted_at = now() where seq = 200`.execute(db);
  await sql`delete from chat_messages where seq > 280`.execute(db);
  // What does not matter to the index does not come into its queue.
  await sql`update chat_messages set sender_name = 'Y'`.execute(db);
  const { rows: [queued] } = await sql<{ count: number }>`
    select sum(cardinality(messages))::int as count from search_queue`.execute(db);
  assert.ok(queued!.count === null || queued!.count <= 121);
  assert.deepEqual(
    [await found(db, "word50"), await found(db, "other50"), await found(db, "word290")],
    [0, 1, 0],
  );
  await indexed();
  assert.deepEqual(await indexOf(db), { words: 279, right: 279 });
  assert.deepEqual(
    [await found(db, "word50"), await found(db, "other50"), await found(db, "word200")],
    [0, 1, 0],
  );
  await indexer.stop();
});

onEngines("a long queue is searched from its end, and hides what was deleted or edited", async ({
  db,
  conversationId,
  start,
  indexed,
}) => {
  await insert(db, conversationId, 1, 30);
  const first = start();
  await indexed();
  await first.stop();
  await sql`update chat_messages set content = 'changed10' where seq = 10`.execute(db);
  await sql`update chat_messages set content = '', deleted_at = now() where seq = 11`.execute(db);
  // An import of another program, as many as a search compares.
  await sql`insert into search_queue (messages)
    select array(select gen_random_uuid() from generate_series(1, 500)) from generate_series(1, 40)`
    .execute(db);
  await insert(db, conversationId, 31, 32);
  assert.deepEqual(
    {
      edited: await found(db, "word10"),
      deleted: await found(db, "word11"),
      untouched: await found(db, "word12"),
      // Its turn comes with the index.
      changed: await found(db, "changed10"),
      latest: await found(db, "word32"),
    },
    { edited: 0, deleted: 0, untouched: 1, changed: 0, latest: 1 },
  );
  const next = start();
  await indexed();
  await next.stop();
  assert.equal(await found(db, "changed10"), 1);
});

onEngines(
  "without room on the disk messages wait for the index, and are found all the same",
  async (
    { db, conversationId, start, indexed },
  ) => {
    await insert(db, conversationId, 1, 3);
    const looked = Promise.withResolvers<void>();
    let hasSpace = false;
    const indexer = start(() => {
      looked.resolve();
      return hasSpace;
    });
    try {
      await within(looked.promise, "the indexer to look");
      assert.equal((await indexOf(db)).words, 0);
      assert.equal(await found(db, "word2"), 1);
      hasSpace = true;
      await indexed();
      assert.equal((await indexOf(db)).words, 3);
    } finally {
      await indexer.stop();
    }
  },
);
