/**
 * Unread counts against a recount: visitors, agents and a bot write, edit, delete and read at the
 * same time, from several devices, one by one and all at once. When it is quiet, every count that
 * anybody is told is what the rows say.
 *
 * PARLEY_UNREAD_SEED repeats a run; a failure names its seed.
 */
import assert from "node:assert/strict";
import fc from "fast-check";
import { openDatabase } from "../db/database.ts";
import { createWriter } from "../domain/conversations/writer.ts";
import { createEventBus } from "../domain/events.ts";
import type { Conversation, Message, Pointers } from "../protocol/model.ts";
import type { ConversationList } from "../protocol/rest.ts";
import { UNLIMITED } from "./faults/server_process.ts";
import { connectPeer, type SocketIoPeer } from "./protocols/socket_io_peer.ts";
import { call, openSession, widgetKey } from "./support/http.ts";
import { type Colleague, colleagues, newVisitor } from "./support/notifications.ts";
import { onBothEngines, type TestServer } from "./support/server.ts";
import { connect, type TestSocket } from "./support/socket.ts";

const SEED = Number(Deno.env.get("PARLEY_UNREAD_SEED") ?? Math.floor(Math.random() * 2 ** 31));
const CONVERSATIONS = 4;
const AGENTS = 2;
const DEVICES = 2;

const conversation = fc.nat(CONVERSATIONS - 1);
const agent = fc.nat(AGENTS - 1);
const device = fc.nat(DEVICES - 1);
/** How far behind the end: reads come late, and twice. */
const behind = fc.nat(5);

const Step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ does: fc.constant("ask" as const), conversation }) },
  {
    weight: 3,
    arbitrary: fc.record({
      does: fc.constant("answer" as const),
      conversation,
      agent,
      device,
      isPrivate: fc.boolean(),
    }),
  },
  { weight: 1, arbitrary: fc.record({ does: fc.constant("bot" as const), conversation }) },
  {
    weight: 4,
    arbitrary: fc.record({
      does: fc.constantFrom("read" as const, "delivered" as const),
      conversation,
      agent,
      device,
      behind,
    }),
  },
  { weight: 2, arbitrary: fc.record({ does: fc.constant("look" as const), conversation, behind }) },
  {
    weight: 2,
    arbitrary: fc.record({
      does: fc.constantFrom("edit" as const, "delete" as const),
      conversation,
      nth: fc.nat(20),
    }),
  },
  { weight: 1, arbitrary: fc.record({ does: fc.constant("readAll" as const), agent }) },
  {
    weight: 1,
    arbitrary: fc.record({
      does: fc.constant("readSome" as const),
      agent,
      some: fc.uniqueArray(conversation, { minLength: 1 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      does: fc.constantFrom("resolved" as const, "open" as const),
      conversation,
      agent,
    }),
  },
);
type Step = typeof Step extends fc.Arbitrary<infer T> ? T : never;

interface World {
  server: TestServer;
  key: string;
  agents: { colleague: Colleague; devices: TestSocket[]; peer: SocketIoPeer }[];
  visitors: { sessionId: string; conversationId: string; socket: TestSocket; isWeb: boolean }[];
  /** By conversation: where its log stood when it was last quiet. */
  ends: number[];
  /** By conversation: what the visitor wrote. */
  written: string[][];
  bot: ((conversationId: string) => Promise<unknown>) | null;
  /** By agent and conversation: how far they have read at least. */
  read: number[][];
  pointers: (Pointers | null)[];
  sent: number;
}

async function act(world: World, step: Step): Promise<void> {
  const { agents, visitors, ends, read } = world;
  const conversationId = "conversation" in step
    ? visitors[step.conversation]!.conversationId
    : undefined;
  const clientMessageId = `m${++world.sent}`;
  switch (step.does) {
    case "ask": {
      const { socket } = visitors[step.conversation]!;
      const content = `question ${world.sent}`;
      const { message } = await socket.ack("message", { conversationId, content, clientMessageId });
      world.written[step.conversation]!.push(message.id);
      return;
    }
    case "answer": {
      const { isPrivate, device } = step;
      const content = `answer ${world.sent}`;
      const data = { conversationId, content, clientMessageId, isPrivate };
      const { message } = await agents[step.agent]!.devices[device]!.ack("message", data);
      raise(read, step.agent, step.conversation, message.seq);
      return;
    }
    case "bot":
      await world.bot?.(conversationId!);
      return;
    case "read":
    case "delivered": {
      const seq = Math.max(0, ends[step.conversation]! - step.behind);
      const answer = await agents[step.agent]!.devices[step.device]!
        .ack(step.does, { conversationId, seq });
      if (step.does === "read") {
        assert.ok(answer.readSeq >= seq, "a read was answered with less than it read");
        raise(read, step.agent, step.conversation, answer.readSeq);
      } else assert.ok(answer.deliveredSeq >= seq);
      return;
    }
    case "look": {
      const seq = Math.max(0, ends[step.conversation]! - step.behind);
      await visitors[step.conversation]!.socket.ack("read", { conversationId, seq });
      return;
    }
    case "edit":
    case "delete": {
      const mine = world.written[step.conversation]!;
      const messageId = mine[step.nth % Math.max(1, mine.length)];
      if (messageId === undefined) return;
      const { socket } = visitors[step.conversation]!;
      // What is deleted cannot be edited: an answer, and no harm.
      await socket.ask(`${step.does}_message`, {
        conversationId,
        messageId,
        ...(step.does === "edit" ? { content: `changed ${world.sent}` } : {}),
      });
      return;
    }
    case "readAll":
    case "readSome": {
      const chosen = step.does === "readAll" ? [...visitors.keys()] : step.some;
      const body = step.does === "readAll"
        ? { all: true }
        : { ids: chosen.map((i) => visitors[i]!.conversationId) };
      const { token } = agents[step.agent]!.colleague;
      const { status } = await call(world.server, "POST", "/api/conversations/read", {
        token,
        body,
      });
      assert.equal(status, 200);
      return;
    }
    default: {
      const { token } = agents[step.agent]!.colleague;
      const path = `/api/conversations/${conversationId}`;
      const { status } = await call(world.server, "PATCH", path, {
        token,
        body: { status: step.does },
      });
      assert.equal(status, 200);
    }
  }
}

function raise(read: number[][], agent: number, conversation: number, seq: number): void {
  read[agent]![conversation] = Math.max(read[agent]![conversation]!, seq);
}

async function get<T>(world: World, token: string, path: string): Promise<T> {
  const { status, body } = await call<T>(world.server, "GET", path, { token });
  assert.equal(status, 200, JSON.stringify(body));
  return body;
}

async function messagesOf(world: World, conversationId: string): Promise<Message[]> {
  const all: Message[] = [];
  for (let after = "0"; after !== null;) {
    const page = await get<{ items: Message[]; nextCursor: string | null }>(
      world,
      world.agents[0]!.colleague.token,
      `/api/conversations/${conversationId}/messages?limit=100&after=${after}`,
    );
    all.push(...page.items);
    after = page.nextCursor!;
  }
  return all;
}

/** Nobody has dealt with it, or it is this agent's. */
function concerns({ status, assignee, waitingSince }: Conversation, userId: string): boolean {
  if (status === "resolved") return false;
  return assignee === null ? waitingSince !== null : assignee.userId === userId;
}

/** It is quiet: what everybody is told has to be what the messages and pointers say. */
async function check(world: World): Promise<void> {
  const { agents, visitors, read } = world;
  const threads = await Promise.all(
    visitors.map(({ conversationId }) => messagesOf(world, conversationId)),
  );
  for (const [a, { colleague, devices, peer }] of agents.entries()) {
    const { token } = colleague;
    const byPlatform: Record<string, number> = {};
    const list = await get<ConversationList>(world, token, "/api/conversations?limit=100");
    for (const [c, { conversationId }] of visitors.entries()) {
      // Position 0 moves nothing, and is answered with where the pointer is.
      const { readSeq } = await devices[0]!.ack("read", { conversationId, seq: 0 });
      assert.ok(readSeq >= read[a]![c]!, `agent ${a}'s pointer of ${c} went back`);
      read[a]![c] = readSeq;
      const one = await get<Conversation>(world, token, `/api/conversations/${conversationId}`);
      const concerned = concerns(one, colleague.id);
      const unread = !concerned
        ? 0
        : threads[c]!.filter(({ sender, isPrivate, seq }) =>
          sender.role === "visitor" && !isPrivate && seq > readSeq
        ).length;
      assert.equal(one.unread, unread, `agent ${a}'s count of conversation ${c}`);
      assert.equal(
        list.items.find(({ id }) => id === conversationId)!.unread,
        unread,
      );
      if (one.status !== "resolved") {
        byPlatform[one.platform] = (byPlatform[one.platform] ?? 0) + unread;
      }
      if (a === 0) checkPointers(world, c, one);
    }
    const totalUnread = Object.values(byPlatform).reduce((sum, n) => sum + n, 0);
    const { body } = await call(world.server, "POST", "/api/conversations/read", {
      token,
      body: { ids: [crypto.randomUUID()] },
    });
    assert.deepEqual(body, { read: 0, totalUnread, unreadCounts: byPlatform });
    const fresh = await connect(world.server, { token });
    const identity = fresh.received.find((message) => message.type === "ack")!.data;
    assert.equal((identity as { totalUnread: number }).totalUnread, totalUnread);
    await fresh.close();
    await untilTold(peer, { totalUnread, unreadCounts: byPlatform });
  }
  for (const [c, { sessionId, isWeb, socket, conversationId }] of visitors.entries()) {
    world.ends[c] = threads[c]!.at(-1)?.seq ?? 0;
    if (!isWeb) continue;
    const { readSeq } = await socket.ack("read", { conversationId, seq: 0 });
    const unread = threads[c]!.filter(({ sender, isPrivate, type, seq }) =>
      type === "text" && !isPrivate && sender.role !== "visitor" && seq > readSeq
    ).length;
    const session = await openSession(world.server, world.key, sessionId);
    assert.equal(session.unread, unread, `visitor ${c}'s own count`);
  }
}

/** Pointers only grow, and never past the log. */
function checkPointers(world: World, c: number, { pointers, lastSeq }: Conversation): void {
  for (const name of Object.keys(pointers) as (keyof Pointers)[]) {
    assert.ok(pointers[name] >= (world.pointers[c]?.[name] ?? 0), `${name} of ${c} went back`);
    assert.ok(pointers[name] <= lastSeq, `${name} of ${c} is past the end`);
  }
  assert.ok(pointers.agentReadSeq <= pointers.agentDeliveredSeq);
  assert.ok(pointers.contactReadSeq <= pointers.contactDeliveredSeq);
  world.pointers[c] = pointers;
}

/** The live totals are gathered for a moment; the last of them has to be right. */
async function untilTold(peer: SocketIoPeer, expected: Record<string, unknown>): Promise<void> {
  const last = () => {
    const { totalUnread, unreadCounts } = peer.all("unread_count_update").at(-1) ?? {};
    return { totalUnread, unreadCounts };
  };
  const isRight = () => {
    try {
      assert.deepEqual(last(), expected);
      return true;
    } catch {
      return false;
    }
  };
  if (isRight()) return;
  const from = peer.heard.length;
  await peer.until("unread_count_update", isRight, from).catch(() => {
    assert.deepEqual(last(), expected, "the last totals that were told live");
  });
}

/** What the tables themselves say, with the server gone. */
async function checkRows(world: World): Promise<void> {
  const { env } = world.server;
  const { db, close } = await openDatabase({
    url: env["DATABASE_URL"],
    dataDir: env["DATA_DIR"]!,
    pool: 2,
  });
  try {
    for (const [a, { colleague }] of world.agents.entries()) {
      const rows = await db.selectFrom("conversations as c")
        .leftJoin(
          "participants as p",
          (join) => join.onRef("p.conversation_id", "=", "c.id").on("p.user_id", "=", colleague.id),
        )
        .select((eb) => [
          "c.id",
          "c.inbound_count",
          "p.read_inbound",
          "p.read_seq",
          eb.selectFrom("chat_messages as m").select((m) => m.fn.countAll<number>().as("n"))
            .whereRef("m.conversation_id", "=", "c.id").where("m.sender_role", "=", "visitor")
            .where((m) => m("m.seq", ">", m.fn.coalesce(m.ref("p.read_seq"), m.lit(0))))
            .as("recount"),
        ]).execute();
      assert.equal(rows.length, world.visitors.length);
      for (const row of rows) {
        const stored = row.inbound_count - (row.read_inbound ?? 0);
        assert.equal(stored, Number(row.recount), `rows of agent ${a}, conversation ${row.id}`);
      }
    }
  } finally {
    await close();
  }
}

/** Conversations of two platforms: what a channel would have brought, without the channel. */
async function moveToPlatform(server: TestServer, ids: string[], platform: string): Promise<void> {
  await server.stop();
  const { db, close } = await openDatabase({
    url: server.env["DATABASE_URL"],
    dataDir: server.env["DATA_DIR"]!,
    pool: 2,
  });
  await db.updateTable("conversations").set({ platform }).where("id", "in", ids).execute();
  await close();
  await server.restart();
}

/** Another node's writer, which answers by itself; the embedded database has one process only. */
async function startBot(server: TestServer) {
  const url = server.env["DATABASE_URL"];
  if (url === undefined) return { bot: null, stop: () => Promise.resolve() };
  const database = await openDatabase({ url, dataDir: server.env["DATA_DIR"]!, pool: 2 });
  const writer = createWriter({
    db: database.db,
    bus: createEventBus((error) => assert.fail(String(error))),
    epoch: database.epoch,
    maxPending: 1000,
  });
  let n = 0;
  return {
    bot: (conversationId: string) =>
      writer.write({
        kind: "message",
        conversationId,
        actor: { userId: "bot", userName: "Bot", role: "bot", principal: null },
        content: "An automatic answer",
        clientMessageId: `bot${++n}`,
        isPrivate: false,
      }),
    async stop() {
      await writer.idle();
      await database.close();
    },
  };
}

async function createWorld(server: TestServer) {
  const staff = await colleagues(server, "Bea");
  const key = await widgetKey(server, staff[0]!.token);
  const known: Awaited<ReturnType<typeof newVisitor>>[] = [];
  for (let c = 0; c < CONVERSATIONS; c++) known.push(await newVisitor(server, staff[0]!));
  const elsewhere = known.slice(CONVERSATIONS / 2).map(({ conversationId }) => conversationId);
  await moveToPlatform(server, elsewhere, "telegram");
  const { bot, stop } = await startBot(server);
  const world: World = {
    server,
    key,
    agents: await Promise.all(staff.map(async (colleague) => ({
      colleague,
      devices: await Promise.all(
        Array.from({ length: DEVICES }, () => connect(server, { token: colleague.token })),
      ),
      peer: await connectPeer(server, { token: colleague.token }),
    }))),
    visitors: await Promise.all(known.map(async ({ sessionId, conversationId }) => ({
      sessionId,
      conversationId,
      socket: await connect(server, { sessionId }),
      isWeb: !elsewhere.includes(conversationId),
    }))),
    ends: known.map(() => 0),
    written: known.map(() => []),
    bot,
    read: staff.map(() => known.map(() => 0)),
    pointers: known.map(() => null),
    sent: 0,
  };
  return {
    world,
    async close() {
      const sockets = [
        ...world.agents.flatMap(({ devices }) => devices),
        ...world.visitors.map(({ socket }) => socket),
      ];
      await Promise.all([
        ...sockets.map((socket) => socket.close()),
        ...world.agents.map(({ peer }) => peer.close()),
      ]);
      await stop();
    },
  };
}

onBothEngines("unread counts are what a recount says, whatever happens at once", async (server) => {
  const { world, close } = await createWorld(server);
  try {
    await fc.assert(
      fc.asyncProperty(fc.array(Step, { minLength: 5, maxLength: 30 }), async (round) => {
        await Promise.all(round.map((step) => act(world, step)));
        await check(world);
      }),
      // The rounds go on from one another, so that there is nothing to shrink.
      { numRuns: 12, seed: SEED, endOnFailure: true },
    );
    for (const { colleague } of world.agents) {
      const { status, body } = await call(server, "POST", "/api/conversations/read", {
        token: colleague.token,
        body: { all: true },
      });
      assert.equal(status, 200);
      assert.equal(body["totalUnread"], 0);
    }
    await check(world);
  } catch (error) {
    console.error(`PARLEY_UNREAD_SEED=${SEED} repeats this run`);
    throw error;
  } finally {
    await close();
  }
  await server.stop();
  await checkRows(world);
}, UNLIMITED);

onBothEngines("many conversations are read at once, only by agents", async (server) => {
  const [ada] = await colleagues(server);
  const { token } = ada!;
  const visitors = [];
  for (let i = 0; i < 3; i++) {
    const visitor = await newVisitor(server, ada!);
    const socket = await connect(server, { sessionId: visitor.sessionId });
    await socket.ack("join", { conversationId: visitor.conversationId });
    await socket.ack("message", { content: "Hello", clientMessageId: "1" });
    visitors.push({ ...visitor, socket });
  }
  const read = (body: unknown, who = token) =>
    call(server, "POST", "/api/conversations/read", { token: who, body });
  const [one, two] = visitors;
  assert.deepEqual((await read({ ids: [one!.conversationId] })).body, {
    read: 1,
    totalUnread: 2,
    unreadCounts: { web: 2 },
  });
  // The visitor sees that it is read.
  await one!.socket.event("message_status", ({ pointers }) => pointers.agentReadSeq === 1);
  assert.equal((await read({ ids: [one!.conversationId] })).body["read"], 0);
  assert.equal((await read({ all: true })).body["totalUnread"], 0);
  await two!.socket.event("message_status", ({ pointers }) => pointers.agentReadSeq === 1);

  assert.equal((await read({ all: true }, one!.sessionId)).status, 403);
  const ids = [one!.conversationId];
  for (
    const body of [
      {},
      { all: false },
      { ids: [] },
      { ids: ["x"] },
      { ids: Array(501).fill(one!.conversationId) },
      { ids, all: true },
      [],
      "x",
    ]
  ) {
    const { status } = await read(body);
    assert.ok(status === 422 || status === 400, JSON.stringify(body).slice(0, 80));
  }
  for (const { socket } of visitors) await socket.close();
});
