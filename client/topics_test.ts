import assert from "node:assert/strict";
import { until } from "./test_server.ts";
import { type ConversationEvent, TopicsClient, type TopicsOptions } from "./topics.ts";
import { createFeed } from "./topics_feed.ts";
import { topicsUrls } from "./topics_pages.ts";
import {
  CONVERSATION,
  makeEvent,
  OTHER,
  placeOf,
  startTopicsServer,
  type TopicsTestServer,
} from "./topics_test_server.ts";

async function withServer(
  work: (
    server: TopicsTestServer,
    open: (options?: Partial<TopicsOptions>) => TopicsClient,
  ) => Promise<void>,
): Promise<void> {
  const server = startTopicsServer();
  const clients: TopicsClient[] = [];
  try {
    await work(server, (options) => {
      const client = new TopicsClient({
        url: server.url,
        credentials: () => ({ token: "t" }),
        pollMs: 15,
        minDelayMs: 20,
        maxDelayMs: 40,
        ...options,
      });
      clients.push(client);
      return client;
    });
  } finally {
    for (const client of clients) client.disconnect();
    await server.stop();
  }
}

const collect = () => {
  const events: ConversationEvent[] = [];
  return { events, callback: (event: ConversationEvent) => void events.push(event) };
};

Deno.test("topics: addresses of every form lead to socket and pages", () => {
  for (const url of ["https://a.example", "https://a.example/", "wss://a.example/api/v1/ws"]) {
    const { socket, events } = topicsUrls(url);
    assert.equal(socket, "wss://a.example/api/v1/ws");
    assert.equal(events("x/y"), "https://a.example/api/v1/conversations/x%2Fy/events");
  }
  const { socket, events } = topicsUrls("http://a.example:81/base/?q#h");
  assert.equal(socket, "ws://a.example:81/base/api/v1/ws");
  assert.equal(events("1"), "http://a.example:81/base/api/v1/conversations/1/events");
});

Deno.test("topics: a feed takes each event once, in order, and notices a missing one", () => {
  const { events, callback } = collect();
  const feed = createFeed(CONVERSATION, callback);
  assert.equal(feed.after, undefined);
  feed.subscribed(placeOf(2, 1), false);
  assert.equal(feed.after, placeOf(2, 1));
  const live = (seq: number, number?: number) => {
    const event = makeEvent(seq, number);
    return feed.live(event.id, event);
  };
  assert.ok(live(2), "known");
  assert.ok(live(3));
  assert.ok(live(3), "twice");
  assert.ok(!live(5), "4 is missing");
  assert.ok(!live(5, 2), "its event is missing");
  assert.ok(live(3, 2));
  assert.ok(!live(3, 4), "a receipt is missing");
  assert.ok(feed.live(placeOf(4)), "a hidden one");
  assert.ok(live(5));
  assert.ok(!feed.live(placeOf(6, undefined, "another")), "another history");
  assert.equal(feed.after, placeOf(5, 2));
  assert.ok(feed.isBehind(placeOf(6)) && !feed.isBehind(placeOf(5)));
  // A page may omit what this reader may not see, and repeats nothing.
  feed.page([makeEvent(5), makeEvent(8), makeEvent(8, 5)], placeOf(9, 6));
  assert.equal(feed.after, placeOf(9, 6));
  feed.page([makeEvent(7)], placeOf(7, 3));
  assert.equal(feed.after, placeOf(9, 6), "an answer that comes late");
  // The same holds for the replay after the answer of the socket.
  feed.subscribed(placeOf(20, 9), false);
  assert.ok(live(15) && live(15, 8) && live(20));
  assert.ok(!live(22));
  assert.deepEqual(events.map(({ id }) => id.slice(39)), [
    "3",
    "3.2",
    "5",
    "8",
    "8.5",
    "15",
    "15.8",
    "20",
  ]);

  const whole = createFeed(CONVERSATION, callback);
  whole.begin("0");
  assert.equal(whole.after, "0");
  whole.subscribed(placeOf(2, 0), false);
  assert.ok(whole.live(placeOf(1)) && whole.live(placeOf(2)));
  assert.equal(whole.after, placeOf(2, 0));
  const behindEvent = createFeed(CONVERSATION, callback);
  behindEvent.begin(placeOf(4));
  assert.equal(behindEvent.after, placeOf(4), "receipts behind it are still to come");
});

Deno.test("topics: one connection for all, and each callback gets its conversation's events", async () => {
  await withServer(async (server, open) => {
    const client = open();
    const states: string[] = [];
    client.on("state", (state) => states.push(state));
    const [one, two, also] = [collect(), collect(), collect()];
    assert.equal(client.isConnected(), false);
    assert.ok(client.subscribeToConversation(CONVERSATION, one.callback), "before connecting");
    await client.connect();
    assert.equal(client.connect(), client.connect(), "one connection, however often");
    assert.ok(client.isConnected());
    assert.ok(client.subscribeToConversation(OTHER.toUpperCase(), two.callback));
    assert.ok(client.subscribeToConversation(CONVERSATION, also.callback));
    const failed = new Promise<void>((resolve) => {
      client.subscribeToConversation(CONVERSATION, () => {
        resolve();
        throw new Error("of a callback, reported on the console");
      });
    });
    await until(() => server.of("subscription").length === 2, "both subscriptions");
    assert.deepEqual(server.frames, [
      { type: "auth", token: "t" },
      ...[CONVERSATION, OTHER].map((resourceID) => ({
        type: "subscription",
        action: "subscribe",
        topic: "conversationEvent",
        resourceID,
        events: "all",
      })),
    ]);
    server.position = placeOf(0, 0);
    server.broadcast("not JSON {");
    server.broadcast("[]");
    server.broadcast({ type: "something new", resourceID: CONVERSATION });
    server.broadcast(makeEvent(1));
    server.broadcast(makeEvent(1));
    server.broadcast({ ...makeEvent(1), conversationID: crypto.randomUUID() });
    server.broadcast(makeEvent(2));
    await until(() => one.events.length === 2 && also.events.length === 2, "the events");
    await failed;
    assert.deepEqual(one.events, [makeEvent(1), makeEvent(2)]);
    assert.deepEqual([two.events, server.connections], [[], 1]);

    client.unsubscribeFromConversation(CONVERSATION, also.callback);
    server.broadcast(makeEvent(3));
    await until(() => one.events.length === 3, "the third");
    assert.equal(also.events.length, 2);
    client.unsubscribeFromConversation(CONVERSATION);
    client.unsubscribeFromConversation(CONVERSATION);
    await until(() => server.of("subscription").length === 3, "one end");
    assert.equal(server.of("subscription").at(-1).action, "unsubscribe");
    assert.deepEqual(states, ["connecting", "live"]);
  });
});

Deno.test("topics: disconnecting ends and forgets everything", async () => {
  await withServer(async (server, open) => {
    const client = open();
    const { events, callback } = collect();
    assert.equal(client.subscribeToConversation("conversation-id-here", callback), false);
    client.subscribeToConversation(CONVERSATION, callback);
    await client.connect();
    client.disconnect();
    client.disconnect();
    await until(() => server.peers.size === 0, "the socket is closed");
    assert.deepEqual([client.state, client.isConnected()], ["closed", false]);
    assert.equal(client.subscribeToConversation(CONVERSATION, callback), false);
    server.blocked = true;
    const waiting = open({ credentials: () => new Promise(() => {}) });
    const connecting = waiting.connect();
    waiting.disconnect();
    await assert.rejects(connecting, { code: "closed" });

    server.blocked = false;
    await client.connect();
    assert.ok(client.isConnected());
    assert.equal(server.of("subscription").length, 1, "the old subscription is gone");
    assert.deepEqual(events, []);
  });
});

Deno.test("topics: a lost connection continues where it was", async () => {
  await withServer(async (server, open) => {
    const client = open();
    const { events, callback } = collect();
    client.subscribeToConversation(CONVERSATION, callback, placeOf(3));
    await client.connect();
    await until(() => server.of("subscription").length === 1, "the subscription");
    assert.equal(server.of("subscription")[0].after, placeOf(3));
    server.broadcast(makeEvent(4));
    server.broadcast(makeEvent(4, 1));
    await until(() => events.length === 2, "the events");
    for (const [i, code] of [1001, 1012, 3001, 3008].entries()) {
      server.broadcast({ type: "reconnect", retryAfter: 0 });
      for (const peer of server.peers) peer.close(code);
      await until(() => server.of("subscription").length === i + 2, `again after ${code}`);
      assert.equal(server.of("subscription").at(-1).after, placeOf(4, 1));
    }
    assert.equal(server.connections, 5);
  });
});

Deno.test("topics: where sockets are blocked it polls, and returns to the socket", async () => {
  await withServer(async (server, open) => {
    server.blocked = true;
    const log = [makeEvent(1), makeEvent(2), makeEvent(2, 1), makeEvent(3)];
    server.page = (url) => {
      const after = url.searchParams.get("after")!;
      const [, , seq, number = "0"] = after.split(".");
      const newer = log.filter(({ id }) => {
        const [, , own, receipt] = id.split(".");
        return receipt === undefined ? Number(own) > Number(seq) : Number(receipt) > Number(number);
      });
      const items = newer.slice(0, 2);
      const nextCursor = items.at(-1)?.id ?? after;
      return { status: 200, body: { items, nextCursor, hasMore: newer.length > 2, reset: false } };
    };
    const client = open();
    const { events, callback } = collect();
    client.subscribeToConversation(CONVERSATION, callback, log[0]!.id);
    await client.connect();
    assert.deepEqual([client.state, client.isConnected()], ["polling", false]);
    await until(() => events.length === 3, "the pages");
    assert.deepEqual(events, log.slice(1));
    assert.equal(server.pages[0]!.bearer, "t");
    log.push(makeEvent(4));
    await until(() => events.length === 4, "the next");
    server.position = placeOf(4, 1);
    server.blocked = false;
    await until(() => server.of("subscription").length === 1, "the socket");
    assert.equal(server.of("subscription")[0].after, placeOf(4, 1));
    server.broadcast(makeEvent(4));
    server.broadcast(makeEvent(5));
    await until(() => events.length === 5, "the fifth");
    assert.deepEqual(events.map(({ seq }) => seq), [2, 2, 3, 4, 5]);
  });
});

Deno.test("topics: events that the socket lost are read", async () => {
  await withServer(async (server, open) => {
    const client = open();
    const { events, callback } = collect();
    client.subscribeToConversation(CONVERSATION, callback);
    await client.connect();
    await until(() => server.of("subscription").length === 1, "the subscription");
    let failures = 2;
    server.page = () => {
      if (failures-- > 0) return { status: 503, body: { code: "draining", retryAfter: 1 } };
      const items = [makeEvent(1), makeEvent(3)];
      return {
        status: 200,
        body: { items, nextCursor: placeOf(3, 0), hasMore: false, reset: false },
      };
    };
    server.broadcast(makeEvent(3));
    await until(() => events.length === 2, "what was missing");
    assert.deepEqual(events.map(({ seq }) => seq), [1, 3]);
    assert.ok(client.isConnected());

    const count = server.pages.length;
    server.page = () => ({
      status: 200,
      body: { items: [makeEvent(4)], nextCursor: placeOf(4, 0), hasMore: false, reset: false },
    });
    server.broadcast({ type: "heartbeat", positions: { [CONVERSATION]: placeOf(3) } });
    server.broadcast({ type: "heartbeat", positions: { [CONVERSATION]: placeOf(4) } });
    await until(() => events.length === 3, "the last one of a quiet conversation");
    assert.equal(server.pages.length, count + 1);

    const resets: unknown[] = [];
    client.on("reset", (reset) => resets.push(reset));
    server.page = () => ({
      status: 200,
      body: { items: [], nextCursor: placeOf(1, 0, "new"), hasMore: false, reset: true },
    });
    server.broadcast({ ...makeEvent(2), id: placeOf(2, undefined, "new") });
    await until(() => resets.length === 1, "a reset");
    assert.deepEqual(resets, [{ conversationID: CONVERSATION }]);
    server.broadcast({ ...makeEvent(2), id: placeOf(2, undefined, "new") });
    await until(() => events.length === 4, "what comes after");
  });
});

Deno.test("topics: invalid credentials end everything, on the socket and while polling", async () => {
  await withServer(async (server, open) => {
    const errors: string[] = [];
    const start = () => {
      const client = open();
      client.on("error", ({ error }) => errors.push(error.code));
      client.subscribeToConversation(CONVERSATION, () => {});
      return client;
    };
    server.intercept = (_frame, peer) => {
      peer.send({ type: "error", code: "invalid_token", message: "Cannot authenticate" });
      peer.close(3500);
      return true;
    };
    const refused = start();
    await assert.rejects(refused.connect(), { code: "invalid_token" });
    assert.equal(refused.state, "failed");
    assert.equal(refused.subscribeToConversation(CONVERSATION, () => {}), false);

    server.blocked = true;
    server.page = () => ({ status: 401, body: { code: "invalid_token", detail: "Not valid" } });
    const polling = start();
    await polling.connect();
    await until(() => polling.state === "failed", "the poll is refused");
    assert.deepEqual(errors, ["invalid_token", "invalid_token"]);

    const nobody = open({
      credentials() {
        throw Object.assign(new Error("signed out"), { final: true });
      },
    });
    await assert.rejects(nobody.connect(), { code: "credentials", message: "signed out" });
    const { connections, pages } = server;
    assert.deepEqual([connections, pages.length], [1, 1], "nobody tries again");
  });
});

Deno.test("topics: an expired token is replaced, and the same one again ends the client", async () => {
  await withServer(async (server, open) => {
    server.intercept = (frame, peer) => {
      if (frame.type !== "auth" || frame.token !== "old") return false;
      peer.send({ type: "error", code: "token_expired", message: "Expired" });
      peer.close(3005);
      return true;
    };
    const tokens = ["old", "new"];
    const client = open({ credentials: () => ({ token: tokens.shift() ?? "newest" }) });
    await client.connect();
    await until(() => client.isConnected(), "the new token");
    assert.deepEqual(server.of("auth").map(({ token }) => token), ["old", "new"]);
    // While connected, the token is replaced on the connection.
    server.expiresAt = new Date(Date.now() + 100).toISOString();
    server.broadcast({ type: "error", code: "token_expired", message: "Expired", retryAfter: 1 });
    await until(() => server.of("auth").length >= 3, "in band");
    assert.equal(server.of("auth")[2].token, "newest");
    assert.equal(server.connections, 2);
    await until(() => server.of("auth").length >= 4, "before its end");
    client.disconnect();

    const stubborn = open({ credentials: () => ({ token: "old" }) });
    await stubborn.connect();
    await until(() => stubborn.state === "failed", "the same token again");

    server.blocked = true;
    server.page = (_url, bearer) =>
      bearer === "old" ? { status: 401, body: { code: "token_expired" } } : {
        status: 200,
        body: { items: [], nextCursor: placeOf(1), hasMore: false, reset: false },
      };
    const given = ["old", "old"];
    const poller = open({
      credentials: () => ({ token: given.shift() ?? "fresh" }),
      minDelayMs: 1e4,
      maxDelayMs: 1e4,
    });
    poller.subscribeToConversation(CONVERSATION, () => {});
    given.length = 1;
    await poller.connect();
    await until(() => server.pages.some(({ bearer }) => bearer === "fresh"), "a fresh token");
    assert.equal(poller.state, "polling");
  });
});

Deno.test("topics: a refused subscription ends alone, a rate limit passes", async () => {
  await withServer(async (server, open) => {
    let limited = 1;
    server.intercept = ({ action, resourceID, topic }, peer) => {
      if (action !== "subscribe") return false;
      const error = { type: "error", topic, resourceID };
      if (resourceID === OTHER) {
        peer.send({ ...error, code: "not_found", message: "Cannot find the conversation" });
        return true;
      }
      if (limited-- <= 0) return false;
      peer.send({ ...error, code: "rate_limited", message: "Too fast", retryAfter: 20 });
      return true;
    };
    const client = open();
    const errors: unknown[] = [];
    client.on("error", ({ error, conversationID }) => errors.push([error.code, conversationID]));
    const { events, callback } = collect();
    await client.connect();
    client.subscribeToConversation(OTHER, callback);
    client.subscribeToConversation(CONVERSATION, callback);
    await until(() => server.of("subscription").length === 3, "again after the limit");
    server.broadcast(makeEvent(1, undefined, OTHER));
    server.broadcast(makeEvent(1));
    await until(() => events.length > 0, "an event");
    assert.deepEqual(events.map(({ conversationID }) => conversationID), [CONVERSATION]);
    assert.deepEqual(errors, [["not_found", OTHER]]);

    server.blocked = true;
    for (const peer of server.peers) peer.close(1012);
    server.page = () => ({ status: 404, body: { code: "not_found", detail: "Gone" } });
    await until(() => errors.length === 2, "the poll finds nothing");
    assert.deepEqual(errors[1], ["not_found", CONVERSATION]);
  });
});

Deno.test("topics: a silent server is pinged, and dropped when it does not answer", async () => {
  await withServer(async (server, open) => {
    const client = open({ silenceMs: 200 });
    await client.connect();
    await until(() => server.pings >= 3, "three pings");
    assert.equal(server.connections, 1, "who answers pings is alive");
    server.swallowPings = true;
    await until(() => server.connections === 2, "another connection");
    const slow = open({ timeoutMs: 30 });
    server.intercept = () => true;
    await slow.connect();
    assert.equal(slow.state, "polling", "an attempt has its time");
  });
});
