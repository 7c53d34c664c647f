import assert from "node:assert/strict";
import { TopicsClient } from "../../client/topics.ts";
import type { ConversationEvent, EventPage } from "../../protocol/topics.ts";
import type { Problem } from "../../protocol/rest.ts";
import { type Answer, call, cast, openSession, post } from "../support/http.ts";
import { onEitherEngine, startServer, type TestServer } from "../support/server.ts";
import { openTopics } from "../support/topics.ts";

function get<T = EventPage>(
  server: TestServer,
  id: string,
  query: Record<string, string> = {},
  options: { token?: string; headers?: Record<string, string> } = {},
): Promise<Answer<T>> {
  const search = new URLSearchParams({ events: "all", ...query });
  return call<T>(server, "GET", `/api/v1/conversations/${id}/events?${search}`, options);
}

async function read(server: TestServer, token: string, id: string, seq: number): Promise<void> {
  await call(server, "POST", `/api/conversations/${id}/read`, { token, body: { seq } });
}

/** Pages from a place to the end. */
async function walk(server: TestServer, token: string, id: string, after: string, limit: number) {
  const items: ConversationEvent[] = [];
  for (;;) {
    const { body } = await get(server, id, { after, limit: String(limit) }, { token });
    items.push(...body.items);
    assert.ok(body.items.length <= limit);
    after = body.nextCursor;
    if (!body.hasMore) return { items, cursor: after };
  }
}

onEitherEngine("topics over HTTP: the events of the socket, with the same ids", async (server) => {
  const { agent, visitor, conversation } = await cast(server);
  const { id, epoch } = conversation;
  const start = await get(server, id, {}, { token: agent.token });
  assert.deepEqual(start.body, {
    items: [],
    nextCursor: `${id}.${epoch}.0.0`,
    hasMore: false,
    reset: false,
  });
  const a = await openTopics(server, { token: agent.token });
  const v = await openTopics(server, { sessionId: visitor.sessionId });
  await Promise.all([a.subscribe(id), v.subscribe(id)]);
  await post(server, visitor.sessionId, id, "One");
  await read(server, agent.token, id, 1);
  await call(server, "POST", `/api/conversations/${id}/messages`, {
    token: agent.token,
    body: { content: "A note", clientMessageId: "n", isPrivate: true },
  });
  const body = { status: "resolved" };
  await call(server, "PATCH", `/api/conversations/${id}`, { token: agent.token, body });
  await post(server, visitor.sessionId, id, "Again");
  await read(server, agent.token, id, 5);
  for (const socket of [a, v]) await socket.event(({ upTo }) => upTo === 5);

  // Of a pointer that moved several times only the last move is kept.
  const last = (events: ConversationEvent[]) =>
    events.filter((event) =>
      event.upTo === undefined ||
      !events.some((later) =>
        later.event === event.event && later.actorType === event.actorType &&
        later.upTo! > event.upTo!
      )
    );
  for (const limit of [1, 2, 3, 100]) {
    for (const [socket, token] of [[a, agent.token], [v, visitor.sessionId]] as const) {
      const { items, cursor } = await walk(server, token, id, start.body.nextCursor, limit);
      assert.deepEqual(
        items.map((
          { id, event, seq, upTo, actorID, createdAt },
        ) => [id, event, seq, upTo, actorID, createdAt]),
        last(socket.events).map((
          { id, event, seq, upTo, actorID, createdAt },
        ) => [id, event, seq, upTo, actorID, createdAt]),
      );
      assert.equal(cursor, `${id}.${epoch}.5.3`);
      const none = await get(server, id, { after: cursor }, { token });
      assert.deepEqual([none.body.items, none.body.nextCursor], [[], cursor]);
      // From each event the rest, as from each place on the socket.
      for (let i = 0; i < items.length; i++) {
        const { items: rest } = await walk(server, token, id, items[i]!.id, limit);
        assert.deepEqual(rest, items.slice(i + 1));
      }
    }
  }
  await Promise.all([a.close(), v.close()]);
});

onEitherEngine("topics over HTTP: rights, bad input, and what cannot be told", async (server) => {
  const { agent, key, visitor, conversation } = await cast(server);
  const { id, epoch } = conversation;
  await post(server, agent.token, id, "One");
  const stranger = await openSession(server, key);

  // Each way to say who one is; the header goes first.
  const ways: [Record<string, string>, string | undefined, number][] = [
    [{}, agent.token, 200],
    [{}, visitor.sessionId, 200],
    [{ token: agent.token }, undefined, 200],
    [{ sessionId: visitor.sessionId }, undefined, 200],
    [{}, undefined, 401],
    [{ token: "a.b.c" }, undefined, 401],
    [{ sessionId: "made-up" }, undefined, 401],
    [{ token: agent.token }, stranger.sessionId, 404],
    [{}, stranger.sessionId, 404],
    [{ sessionId: stranger.sessionId }, undefined, 404],
  ];
  for (const [query, token, status] of ways) {
    const answer = await get(server, id, { after: "0", ...query }, token ? { token } : {});
    assert.equal(answer.status, status, JSON.stringify([query, token]));
    assert.equal(JSON.stringify(answer.body).includes("One"), status === 200);
  }
  const token = agent.token;
  assert.equal((await get(server, crypto.randomUUID(), {}, { token })).status, 404);
  assert.equal((await get(server, "conversation-id-here", {}, { token })).status, 422);

  const bad: Record<string, string>[] = [
    { after: "garbage" },
    { after: "" },
    { after: "-1" },
    { after: `${id}.${epoch}.-1` },
    { after: `${crypto.randomUUID()}.${epoch}.1` },
    { after: `${id}.${epoch}.${"9".repeat(20)}` },
    { after: "x".repeat(201) },
    { after: `${id}.${epoch}.1' or 1=1` },
    { limit: "0" },
    { limit: "101" },
    { limit: "many" },
    { since: "yesterday" },
  ];
  for (const query of bad) {
    const { status, body } = await get<Problem>(server, id, query, { token });
    assert.deepEqual([status, body.code], [422, "invalid"], JSON.stringify(query));
    assert.ok(body.fields!.length > 0);
  }

  // The future of this conversation, and places in another database.
  for (const after of [`${id}.${epoch}.2`, `${id}.${epoch}.1.1`, `${id}.000000000000.1`]) {
    const { status, body } = await get(server, id, { after }, { token });
    assert.deepEqual([status, body], [200, {
      items: [],
      nextCursor: `${id}.${epoch}.1.0`,
      hasMore: false,
      reset: true,
    }]);
  }
});

Deno.test("topics over HTTP: an ETag spares who polls for nothing", async () => {
  const server = await startServer("pglite");
  try {
    const { agent, visitor, conversation: { id } } = await cast(server);
    const token = agent.token;
    const first = await get(server, id, {}, { token });
    const after = first.body.nextCursor;
    const poll = (etag: string, who = token) =>
      get(server, id, { after }, { token: who, headers: { "if-none-match": etag } });
    const { headers } = await get(server, id, { after }, { token });
    const etag = headers.get("etag")!;
    assert.equal(headers.get("cache-control"), "private, no-cache");
    assert.match(headers.get("vary")!, /authorization/i);
    assert.equal((await poll(etag)).status, 304);
    assert.equal((await poll(etag, "a.b.c")).status, 401, "304 is only for who may read it");

    await post(server, visitor.sessionId, id, "One");
    const news = await poll(etag);
    assert.equal(news.status, 200);
    assert.deepEqual(news.body.items.map(({ seq }) => seq), [1]);
    const second = news.headers.get("etag")!;
    assert.equal((await poll(second)).status, 304);
    await read(server, token, id, 1);
    const pointer = await poll(second);
    assert.deepEqual(pointer.body.items.map(({ event }) => event), ["message", "read"]);
    const openapi = await call<{ paths: object }>(server, "GET", "/api/openapi.json");
    assert.ok("/api/v1/conversations/{id}/events" in openapi.body.paths);
  } finally {
    await server.close();
  }
});

/** Sockets of the runtime that can be cut and blocked. */
function blockable() {
  const open = new Set<WebSocket>();
  const control = {
    blocked: false,
    cut() {
      for (const socket of open) socket.close(4000);
    },
    // A port that nobody listens on stands for a network that lets no socket through.
    Constructor: class extends WebSocket {
      constructor(url: string | URL) {
        super(control.blocked ? "ws://127.0.0.1:9/" : url);
        open.add(this);
        this.addEventListener("close", () => open.delete(this));
      }
    } as typeof WebSocket,
  };
  return control;
}

async function until(condition: () => boolean, what: string): Promise<void> {
  const end = Date.now() + 20_000;
  while (!condition()) {
    if (Date.now() > end) throw new Error(`Waited in vain: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

onEitherEngine(
  "a client moves between socket and polling without loss or repetition",
  async (server) => {
    const { agent, visitor, conversation: { id } } = await cast(server);
    const network = blockable();
    const make = (credentials: { token: string } | { sessionId: string }) => {
      const client = new TopicsClient({
        url: server.url,
        credentials: () => credentials,
        pollMs: 20,
        minDelayMs: 10,
        maxDelayMs: 40,
        WebSocket: network.Constructor,
      });
      const events: ConversationEvent[] = [];
      const resets: string[] = [];
      client.on("reset", ({ conversationID }) => resets.push(conversationID));
      assert.ok(client.subscribeToConversation(id, (event) => events.push(event), `0`));
      return { client, events, resets };
    };
    const people = [make({ token: agent.token }), make({ sessionId: visitor.sessionId })];
    await Promise.all(people.map(({ client }) => client.connect()));
    const all = (state: string) =>
      until(() => people.every(({ client }) => client.state === state), `everybody ${state}`);
    const heard = (text: string) =>
      until(
        () =>
          people.every(({ events }) => events.some(({ message }) => message?.body.text === text)),
        `"${text}"`,
      );

    let writing = true;
    let sent = 0;
    const retry = async (request: () => Promise<unknown>) => {
      while (writing) {
        try {
          return await request();
        } catch {
          // The server is just being restarted.
          await new Promise((resolve) => setTimeout(resolve, 10));
        }
      }
    };
    const writers = [agent.token, visitor.sessionId].map(async (token, who) => {
      for (let i = 0; writing; i++) {
        const clientMessageId = `${who}-${i}`;
        await retry(() => post(server, token, id, `m${who}-${i}`, clientMessageId));
        sent++;
        if (i % 3 === 0) await retry(() => read(server, token, id, sent));
        if (i % 5 === 0 && who === 0) {
          const body = { status: i % 2 === 0 ? "pending" : "open" };
          await retry(() => call(server, "PATCH", `/api/conversations/${id}`, { token, body }));
        }
        if (i % 7 === 0 && who === 0) {
          const body = { content: `note ${i}`, clientMessageId: `note-${i}`, isPrivate: true };
          const path = `/api/conversations/${id}/messages`;
          await retry(() => call(server, "POST", path, { token, body }));
        }
      }
    });
    const more = async (count: number) => {
      const target = sent + count;
      await until(() => sent >= target, `${count} more messages`);
    };
    await all("live");
    await more(10);
    for (let round = 0; round < 3; round++) {
      network.blocked = true;
      network.cut();
      await all("polling");
      await more(10);
      network.blocked = false;
      await all("live");
      await more(10);
      network.cut();
      await more(5);
      await all("live");
    }
    // A restart while some are on the socket, and one while all poll.
    await server.stop();
    await server.restart();
    await all("live");
    await more(5);
    network.blocked = true;
    network.cut();
    await all("polling");
    await server.stop();
    await server.restart();
    await more(5);
    network.blocked = false;
    await all("live");
    writing = false;
    await Promise.all(writers);
    await post(server, agent.token, id, "The end");
    await heard("The end");
    const { body: { lastSeq } } = await call<{ lastSeq: number }>(
      server,
      "GET",
      `/api/conversations/${id}`,
      { token: agent.token },
    );
    await read(server, visitor.sessionId, id, lastSeq);
    await until(
      () => people.every(({ events }) => events.some(({ upTo }) => upTo === lastSeq)),
      "the last read",
    );

    for (const [person, token] of [agent.token, visitor.sessionId].entries()) {
      const { events, resets } = people[person]!;
      assert.deepEqual(resets, []);
      const log = events.filter(({ upTo }) => upTo === undefined);
      const { items } = await walk(server, token, id, "0", 100);
      assert.deepEqual(
        log.map((event) => event.id),
        items.filter(({ upTo }) => upTo === undefined).map((event) => event.id),
        "every event of the log, in order, once",
      );
      assert.ok(log.length > 60);
      assert.equal(new Set(events.map((event) => event.id)).size, events.length);
      const receipts = events.filter(({ upTo }) => upTo !== undefined);
      for (const { id: known } of items.filter(({ upTo }) => upTo !== undefined)) {
        assert.ok(
          receipts.some((receipt) => receipt.id === known),
          "the last move of each pointer",
        );
      }
      for (const side of ["agent", "contact"]) {
        const steps = receipts.filter(({ event, actorType }) =>
          event === "read" && actorType === side
        )
          .map(({ upTo }) => upTo!);
        assert.deepEqual(steps, steps.toSorted((x, y) => x - y), "pointers only grow");
      }
    }
    for (const { client } of people) client.disconnect();
  },
  { LIMIT_MESSAGES_PER_MINUTE: "100000", LIMIT_CONNECTIONS_PER_MINUTE: "100000" },
);

onEitherEngine(
  "a client whose conversation was restored elsewhere is told to read it anew",
  async (server) => {
    const { agent, visitor, conversation } = await cast(server);
    const { id } = conversation;
    await post(server, visitor.sessionId, id, "One");
    for (const blocked of [false, true]) {
      const network = blockable();
      network.blocked = blocked;
      const client = new TopicsClient({
        url: server.url,
        credentials: () => ({ token: agent.token }),
        pollMs: 20,
        WebSocket: network.Constructor,
      });
      const reset = new Promise((resolve) => client.on("reset", resolve));
      const events: ConversationEvent[] = [];
      client.subscribeToConversation(id, (event) => events.push(event), `${id}.000000000000.7.2`);
      await client.connect();
      assert.deepEqual(await reset, { conversationID: id });
      await post(server, visitor.sessionId, id, `After ${blocked}`);
      await until(() => events.length > 0, "what comes after");
      assert.deepEqual(events.map(({ message }) => message?.body.text), [`After ${blocked}`]);
      client.disconnect();
    }
  },
);
