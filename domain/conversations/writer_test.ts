import assert from "node:assert/strict";
import { sql } from "kysely";
import { type Db, openDatabase } from "../../db/database.ts";
import { uuidv7 } from "../../db/uuid.ts";
import { makeDataDir } from "../../tests/support/template.ts";
import { createEventBus, type DomainEvents } from "../events.ts";
import { type Actor, SYSTEM } from "./unit_of_work.ts";
import { createWriter, type Writer } from "./writer.ts";

const VISITOR: Actor = { ...SYSTEM, userId: uuidv7(), userName: "Vi", role: "visitor" };

async function withWriter(
  fn: (
    parts: {
      db: Db;
      writer: Writer;
      batches: number[];
      statuses: DomainEvents["messages.status"][];
      conversationId: string;
    },
  ) => Promise<void>,
  maxPending = 10_000,
): Promise<void> {
  const dataDir = await makeDataDir();
  const { db, epoch, close } = await openDatabase({ url: undefined, dataDir, pool: 1 });
  const bus = createEventBus((error) => assert.fail(String(error)));
  const batches: number[] = [];
  bus.on("conversation.logged", ({ entries }) => batches.push(entries.length));
  const statuses: DomainEvents["messages.status"][] = [];
  bus.on("messages.status", (event) => statuses.push(event));
  try {
    const writer = createWriter({ db, bus, epoch, maxPending });
    const contactId = uuidv7();
    const conversationId = uuidv7();
    await db.insertInto("contacts").values({ id: contactId, name: "Vi" }).execute();
    await db.insertInto("conversations").values({ id: conversationId, contact_id: contactId })
      .execute();
    await fn({ db, writer, batches, statuses, conversationId });
  } finally {
    await close();
    await Deno.remove(dataDir, { recursive: true });
  }
}

function message(
  conversationId: string,
  content: string,
  clientMessageId: string | null = content,
) {
  return {
    kind: "message",
    conversationId,
    actor: VISITOR,
    content,
    clientMessageId,
    isPrivate: false,
  } as const;
}

Deno.test("what arrives at the same moment is one transaction, in the order of arrival", () =>
  withWriter(async ({ db, writer, batches, conversationId }) => {
    const results = await Promise.all(
      Array.from({ length: 300 }, (_, i) => writer.write(message(conversationId, `m${i}`))),
    );
    assert.deepEqual(batches, [300]);
    assert.deepEqual(results.map((result) => result.message!.seq), results.map((_, i) => i + 1));
    const { rows } = await sql<{ n: number }>`
      select count(distinct xmin::text)::int as n from chat_messages`.execute(db);
    assert.equal(rows[0]!.n, 1);
  }));

Deno.test("the same client message id in one batch and in a later one is one message", () =>
  withWriter(async ({ writer, conversationId, batches }) => {
    const send = () => writer.write(message(conversationId, "Hello", "one"));
    const [first, second] = await Promise.all([send(), send()]);
    const third = await send();
    assert.deepEqual([first, second, third].map(({ duplicate }) => duplicate), [false, true, true]);
    assert.deepEqual(new Set([first, second, third].map((one) => one.message!.id)).size, 1);
    assert.deepEqual(batches, [1]);
  }));

Deno.test("one change that fails does not take its batch with it", () =>
  withWriter(async ({ writer, conversationId }) => {
    const results = await Promise.allSettled([
      writer.write(message(conversationId, "good")),
      writer.write(message(uuidv7(), "nowhere")),
      // The database itself refuses this one, after the whole batch was built.
      writer.write(message(conversationId, "bad \0")),
      writer.write(message(conversationId, "also good")),
    ]);
    assert.deepEqual(results.map(({ status }) => status), [
      "fulfilled",
      "rejected",
      "rejected",
      "fulfilled",
    ]);
    const seqs = results.flatMap((result) =>
      result.status === "fulfilled" ? [result.value.message!.seq] : []
    );
    assert.deepEqual(seqs, [1, 2]);
  }));

Deno.test("past the bound changes are refused with a time to come back", () =>
  withWriter(async ({ writer, conversationId }) => {
    const results = await Promise.allSettled(
      Array.from({ length: 8 }, (_, i) => writer.write(message(conversationId, `m${i}`))),
    );
    const refused = results.filter((result) => result.status === "rejected");
    assert.equal(refused.length, 3);
    assert.equal(refused[0]!.reason.code, "overloaded");
    assert.ok(refused[0]!.reason.retryAfter > 0);
    await writer.idle();
    assert.equal(writer.pending, 0);
  }, 5));

Deno.test("counters tell each side what it has not read", () =>
  withWriter(async ({ db, writer, conversationId }) => {
    const agent: Actor = { ...VISITOR, userId: uuidv7(), userName: "Ada", role: "agent" };
    for (const content of ["a", "b", "c"]) await writer.write(message(conversationId, content));
    const note = { ...message(conversationId, "note"), actor: agent, isPrivate: true };
    await writer.write({ ...note, isPrivate: true });
    const read = await writer.write({
      kind: "pointer",
      conversationId,
      actor: { ...agent, userId: uuidv7() },
      seq: 2,
      read: true,
    });
    assert.equal(read.pointer!.read_inbound, 2);
    const row = await db.selectFrom("conversations").selectAll().executeTakeFirstOrThrow();
    assert.deepEqual([row.inbound_count, row.outbound_count, row.last_seq], [3, 0, 4]);
    assert.notEqual(row.waiting_since, null);
  }));

Deno.test("a bot's answer leaves the contact waiting; an agent's ends it", () =>
  withWriter(async ({ db, writer, conversationId }) => {
    const waiting = async () =>
      (await db.selectFrom("conversations").select("waiting_since").executeTakeFirstOrThrow())
        .waiting_since;
    const bot: Actor = { ...VISITOR, userId: uuidv7(), userName: "Assistant", role: "bot" };
    const agent: Actor = { ...VISITOR, userId: uuidv7(), userName: "Ada", role: "agent" };
    await writer.write(message(conversationId, "Hello?"));
    const since = await waiting();
    assert.notEqual(since, null);
    await writer.write({ ...message(conversationId, "Somebody will answer"), actor: bot });
    assert.deepEqual(await waiting(), since);
    await writer.write({ ...message(conversationId, "Here I am"), actor: agent });
    assert.equal(await waiting(), null);
  }));

Deno.test("a read pointer never goes back, within one batch and between two", () =>
  withWriter(async ({ db, writer, conversationId }) => {
    const agent: Actor = { ...VISITOR, userId: uuidv7(), userName: "Ada", role: "agent" };
    for (const content of ["a", "b", "c"]) await writer.write(message(conversationId, content));
    const read = (seq: number) =>
      writer.write({ kind: "pointer", conversationId, actor: agent, seq, read: true });
    const stored = async () =>
      await db.selectFrom("participants").select(["read_seq", "read_inbound"])
        .where("user_id", "=", agent.userId).executeTakeFirstOrThrow();
    await Promise.all([read(1), read(3), read(2)]);
    assert.deepEqual(await stored(), { read_seq: 3, read_inbound: 3 });
    await read(1);
    assert.deepEqual(await stored(), { read_seq: 3, read_inbound: 3 });
  }));

Deno.test("moves of one batch tell of every message that one of them covers, once", () =>
  withWriter(async ({ writer, statuses, conversationId }) => {
    const agent = (name: string): Actor => ({
      ...VISITOR,
      userId: uuidv7(),
      userName: name,
      role: "agent",
    });
    const [ada, bea] = [agent("Ada"), agent("Bea")];
    let last = 0;
    const say = async (count: number) => {
      for (let i = 0; i < count; i++) {
        last = (await writer.write(message(conversationId, `m${last + 1}`))).message!.seq;
      }
    };
    const move = (actor: Actor, seq: number, read = true) =>
      writer.write({ kind: "pointer", conversationId, actor, seq, read });
    const told = () =>
      statuses.splice(0).map(({ status, userId, messages }) => [
        status,
        userId === ada.userId ? "Ada" : "Bea",
        messages.map(({ seq }) => seq),
      ]);

    // Two reads in one batch: what the first covers is told with the second.
    await say(3);
    await Promise.all([move(ada, 2), move(ada, 3)]);
    assert.deepEqual(told(), [["read", "Ada", [1, 2, 3]]]);
    // The same of two agents, of whom the later one goes further; and backwards.
    await say(4);
    await Promise.all([move(ada, 5), move(bea, 7), move(ada, 6)]);
    assert.deepEqual(told(), [["read", "Bea", [4, 5, 6, 7]]]);
    // Delivered further than read: each message has its own.
    await say(3);
    await Promise.all([move(ada, 9, false), move(ada, 10, false), move(ada, 8)]);
    assert.deepEqual(told(), [["delivered", "Ada", [8, 9, 10]], ["read", "Ada", [8]]]);
    // Read as far as delivered in one batch needs no word that it was delivered.
    await say(2);
    await Promise.all([move(ada, 11, false), move(ada, 12)]);
    assert.deepEqual(told(), [["read", "Ada", [9, 10, 11, 12]]]);
  }));
