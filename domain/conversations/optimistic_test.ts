/** Batches that rely on rows in memory, while others change the same rows in the database. */
import assert from "node:assert/strict";
import { sql } from "kysely";
import { type Db, openDatabase } from "../../db/database.ts";
import { uuidv7 } from "../../db/uuid.ts";
import { type EngineName, makeDatabase } from "../../tests/support/server.ts";
import { testWith } from "../../tests/support/services.ts";
import { makeDataDir } from "../../tests/support/template.ts";
import { createEventBus, type LogEntry } from "../events.ts";
import type { Conversation } from "../../protocol/model.ts";
import { wasStored, writeBatch } from "./batch.ts";
import { apply } from "./operations.ts";
import { readVersionedRows } from "./storage.ts";
import { type Actor, beginUnitOfWork, type Operation, SYSTEM } from "./unit_of_work.ts";
import { createWriter, type Writer } from "./writer.ts";

const agent = (): Actor => ({ ...SYSTEM, userId: uuidv7(), userName: "Ada", role: "agent" });
const AGENT = agent();

interface Node {
  writer: Writer;
  /** What it announced, by conversation. */
  entries: Map<string, LogEntry[]>;
  conversations: Conversation[];
}

interface Parts {
  db: Db;
  /** Two that share the database, as on two nodes. */
  nodes: [Node, Node];
  /** A new conversation of a new contact. */
  open(): Promise<{ id: string; contactId: string }>;
}

function onEngines(engines: EngineName[], name: string, fn: (parts: Parts) => Promise<void>): void {
  for (const engine of engines) {
    testWith(engine === "postgres" ? ["postgres"] : [], `${name} [${engine}]`, async () => {
      const dataDir = await makeDataDir();
      const made = engine === "postgres" ? await makeDatabase() : null;
      const { db, epoch, close } = await openDatabase({ url: made?.url, dataDir, pool: 8 });
      const node = (): Node => {
        const bus = createEventBus((error) => assert.fail(String(error)));
        const entries = new Map<string, LogEntry[]>();
        const conversations: Conversation[] = [];
        bus.on("conversation.logged", ({ conversationId, entries: some }) => {
          entries.set(conversationId, [...entries.get(conversationId) ?? [], ...some]);
        });
        bus.on("conversation.updated", ({ conversation }) => conversations.push(conversation));
        const writer = createWriter({ db, bus, epoch, maxPending: 10_000, maxRunning: 3 });
        return { writer, entries, conversations };
      };
      try {
        await fn({
          db,
          nodes: [node(), node()],
          async open() {
            const [id, contactId] = [uuidv7(), uuidv7()];
            await db.insertInto("contacts").values({ id: contactId, name: "Vi" }).execute();
            await db.insertInto("conversations").values({ id, contact_id: contactId }).execute();
            return { id, contactId };
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

const BOTH: EngineName[] = ["pglite", "postgres"];

function message(conversationId: string, content: string, actor = AGENT): Operation {
  return {
    kind: "message",
    conversationId,
    actor,
    content,
    clientMessageId: content,
    isPrivate: false,
  };
}

onEngines(BOTH, "what others changed meanwhile is what a batch works on", async (parts) => {
  const { db, nodes: [{ writer, conversations }], open } = parts;
  const { id, contactId } = await open();
  const visitor: Actor = { ...SYSTEM, userId: contactId, userName: "Vi", role: "visitor" };
  await writer.write(message(id, "one", visitor));

  // Resolved by psql: a visitor's message opens it again, and the status that is asked for is one.
  await sql`update conversations set status = 'resolved' where id = ${id}`.execute(db);
  const reopened = await writer.write({
    kind: "status",
    conversationId: id,
    actor: AGENT,
    status: "open",
  });
  assert.deepEqual([reopened.row.status, reopened.row.last_seq], ["open", 2]);
  await sql`update conversations set status = 'snoozed' where id = ${id}`.execute(db);
  const { row } = await writer.write(message(id, "two", visitor));
  assert.deepEqual([row.status, row.last_seq, row.inbound_count], ["open", 4, 2]);

  // Names and labels are told as they are now.
  await sql`update contacts set name = 'Violet' where id = ${contactId}`.execute(db);
  const label = uuidv7();
  await sql`insert into labels (id, name, color) values (${label}, 'vip', 'red')`.execute(db);
  await sql`insert into conversation_labels (conversation_id, label_id) values (${id}, ${label})`
    .execute(db);
  await writer.write(message(id, "three"));
  const told = conversations.at(-1)!;
  assert.equal(told.contact.name, "Violet");
  assert.deepEqual(told.labels?.map(({ name }) => name), ["vip"]);

  // An assignee who was switched off is let go of when it goes on.
  const userId = uuidv7();
  await sql`insert into users (id, name, email, password_hash, role)
    values (${userId}, 'Bob', 'bob@example.com', 'x', 'agent')`.execute(db);
  const assignee = { userId, userName: "Bob" };
  await writer.write({ kind: "assign", conversationId: id, actor: AGENT, assignee });
  await sql`update users set disabled_at = now() where id = ${userId}`.execute(db);
  const released = await writer.write(message(id, "four", visitor));
  assert.equal(released.row.assignee_id, null);
});

onEngines(BOTH, "nobody is refused because of an old row", async ({ db, nodes, open }) => {
  const { writer } = nodes[0];
  const { id, contactId } = await open();
  const other = await open();
  const principal = (userId: string): Actor => ({
    userId,
    userName: "Vi",
    role: "visitor",
    principal: {
      kind: "visitor",
      userId,
      userName: "Vi",
      sessionHash: null,
      widgetId: null,
      expiresAt: null,
    } as unknown as Actor["principal"],
  });
  await writer.write(message(id, "one", principal(contactId)));
  await assert.rejects(
    writer.write(message(id, "two", principal(other.contactId))),
    { code: "not_found" },
  );
  await sql`delete from conversations where id = ${other.id}`.execute(db);
  await sql`update conversations set contact_id = ${other.contactId} where id = ${id}`.execute(db);
  const { row } = await writer.write(message(id, "three", principal(other.contactId)));
  assert.equal(row.last_seq, 2);
  await assert.rejects(
    writer.write(message(id, "four", principal(contactId))),
    { code: "not_found" },
  );
  await assert.rejects(writer.write(message(other.id, "five")), { code: "not_found" });
});

onEngines(["postgres"], "two nodes write to the same conversations", async (parts) => {
  const { db, nodes, open } = parts;
  const conversations = await Promise.all(Array.from({ length: 5 }, open));
  const ids = conversations.map(({ id }) => id);
  const sent: Promise<{ id: string; seq: number }>[] = [];
  for (let round = 0; round < 60; round++) {
    for (const [n, { writer }] of nodes.entries()) {
      const id = ids[(round + n) % ids.length]!;
      for (let i = 0; i < 1 + round % 4; i++) {
        // Every third is sent to both, as by a client that changed its node.
        const content = round % 3 === 0 ? `both ${round} ${i} ${id}` : `${n} ${round} ${i}`;
        sent.push(
          writer.write(message(id, content)).then(({ message }) => ({
            id: `${id} ${message!.client_message_id}`,
            seq: message!.seq,
          })),
        );
      }
      if (round % 7 === 0) {
        void writer.write({ kind: "status", conversationId: id, actor: AGENT, status: "pending" });
        void writer.write({ kind: "status", conversationId: id, actor: AGENT, status: "open" });
      }
    }
    if (round % 2 === 0) await new Promise((resolve) => setTimeout(resolve, 1));
  }
  const answers = await Promise.all(sent);
  await Promise.all(nodes.map(({ writer }) => writer.idle()));
  const { rows } = await sql<{ id: string; seq: number }>`
    select conversation_id || ' ' || client_message_id as id, seq from chat_messages
    where client_message_id is not null`.execute(db);
  const stored = new Map(rows.map(({ id, seq }) => [id, seq]));
  assert.equal(stored.size, rows.length);
  for (const { id, seq } of answers) assert.equal(stored.get(id), seq);
  assert.equal(new Set(answers.map(({ id }) => id)).size, rows.length);

  for (const id of ids) {
    const { rows: log } = await sql<{ seq: number }>`select seq from conversation_events
      where conversation_id = ${id} order by seq`.execute(db);
    assert.deepEqual(log.map(({ seq }) => seq), log.map((_, i) => i + 1));
    const told = nodes.flatMap(({ entries }) => entries.get(id)?.map(({ seq }) => seq) ?? []);
    assert.deepEqual(told.toSorted((a, b) => a - b), log.map(({ seq }) => seq));
    for (const { entries } of nodes) {
      const own = entries.get(id)?.map(({ seq }) => seq) ?? [];
      assert.deepEqual(own, own.toSorted((a, b) => a - b), "a node announces in order");
    }
    const { rows: [row] } = await sql<{ last: number; outbound: number; counted: number }>`
      select last_seq as last, outbound_count as outbound, (
        select count(*)::int from chat_messages m
        where m.conversation_id = c.id and m.type = 'text'
      ) as counted from conversations c where id = ${id}`.execute(db);
    assert.equal(row!.last, log.length);
    assert.equal(row!.outbound, row!.counted);
  }
});

onEngines(
  ["postgres"],
  "one node keeps the order of a conversation, whatever runs beside it",
  async (parts) => {
    const { nodes: [{ writer, entries }], open } = parts;
    const conversations = await Promise.all(Array.from({ length: 20 }, open));
    const order: string[] = [];
    const sent: Promise<unknown>[] = [];
    for (let i = 0; i < 400; i++) {
      const { id } = conversations[i % 7 === 0 ? 0 : i % conversations.length]!;
      sent.push(writer.write(message(id, `m${i}`)).then(() => order.push(`m${i}`)));
      if (i % 5 === 0) await new Promise((resolve) => setTimeout(resolve, 0));
    }
    await Promise.all(sent);
    for (const { id } of conversations) {
      const contents = (entries.get(id) ?? []).map(({ forAgents }) =>
        Number((forAgents.data as { content: string }).content.slice(1))
      );
      assert.deepEqual(contents, contents.toSorted((a, b) => a - b));
    }
    assert.equal(order.length, 400);
  },
);

onEngines(BOTH, "a call that was given up stores nothing when it arrives late", async (parts) => {
  const { db, nodes: [{ writer }], open } = parts;
  const { id } = await open();
  await writer.write(message(id, "one"));
  const prepare = async (content: string) => {
    const unit = beginUnitOfWork((await readVersionedRows(db, [id]))[0]!);
    apply(unit, message(id, content), new Date());
    return unit;
  };
  const late = await prepare("late");
  assert.equal(await wasStored(db, [late]), false);
  assert.deepEqual(await writeBatch(db, [late], 10), { stale: [id], repeated: [] });

  const stored = await prepare("stored");
  assert.ok("pointers" in await writeBatch(db, [stored], 10));
  assert.equal(await wasStored(db, [stored]), true);
});
