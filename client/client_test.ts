import assert from "node:assert/strict";
import type { ParleyClientError } from "./errors.ts";
import { makeClient, message, withServer } from "./test_client.ts";
import { CONVERSATION, memoryStorage, startServer, until } from "./test_server.ts";

Deno.test("connects, authenticates, and emits each state once", () =>
  withServer(async (server, open) => {
    const client = open();
    const states: string[] = [];
    client.on("state", (state) => states.push(state));
    await client.connect();
    assert.equal(client.identity?.userId, "agent-me");
    assert.deepEqual(states, ["connecting", "connected"]);
    assert.deepEqual(server.of("auth")[0]!.data, { token: "t" });
    client.close();
    assert.equal(client.state, "closed");
  }));

Deno.test("messages written without a connection go out in order, one under way at a time", () =>
  withServer(async (server, open) => {
    const client = open();
    let under = 0;
    server.intercept = (command, peer) => {
      if (command.type !== "message") return false;
      under++;
      assert.equal(under, 1);
      setTimeout(() => {
        under--;
        const stored = server.post(command.data!.content as string, "agent-me");
        server.reply(peer, command, { message: stored, duplicate: false });
      }, 10);
      return true;
    };
    const sent = ["a", "b", "c"].map((text) => client.send(message(text)));
    assert.equal(client.pending().length, 3);
    await client.connect();
    const stored = await Promise.all(sent);
    assert.deepEqual(stored.map((one) => one.seq), [1, 2, 3]);
    assert.equal(client.pending().length, 0);
  }));

Deno.test("a message whose ack was lost is sent again and is there once", () =>
  withServer(async (server, open) => {
    const client = open();
    let lost = 0;
    server.intercept = (command, peer) => {
      if (command.type !== "message" || lost++ > 0) return false;
      const { content, clientMessageId } = command.data as Record<string, string>;
      server.post(content!, "agent-me", clientMessageId);
      peer.close(3011);
      return true;
    };
    client.connect();
    const stored = await client.send(message("once"));
    assert.equal(stored.seq, 1);
    assert.equal(server.log.length, 1);
    assert.equal(server.of("message").length, 2);
    assert.equal(server.connections, 2);
  }));

Deno.test("a message without an answer in time is sent again on a new connection", () =>
  withServer(async (server, open) => {
    const client = open({ ackTimeoutMs: 300 });
    let swallowed = 0;
    server.intercept = (command) => command.type === "message" && swallowed++ === 0;
    client.connect();
    await client.send(message("heard?"));
    assert.equal(server.connections, 2);
    assert.equal(server.log.length, 1);
  }));

Deno.test("rate_limited makes the outbox wait the named time and lose nothing", () =>
  withServer(async (server, open) => {
    const client = open();
    let refusedAt = 0;
    let acceptedAt = 0;
    server.intercept = (command, peer) => {
      if (command.type !== "message") return false;
      if (refusedAt === 0) {
        refusedAt = Date.now();
        server.refuse(peer, command, "rate_limited", 120);
        return true;
      }
      acceptedAt ||= Date.now();
      return false;
    };
    client.connect();
    const sent = await Promise.all([client.send(message("1")), client.send(message("2"))]);
    assert.deepEqual(sent.map((one) => one.content), ["1", "2"]);
    assert.ok(acceptedAt - refusedAt >= 115, `waited ${acceptedAt - refusedAt} ms`);
  }));

Deno.test("a final refusal fails that message only; retry and discard end it", () =>
  withServer(async (server, open) => {
    const client = open();
    let forbid = true;
    server.intercept = (command, peer) => {
      if (command.type !== "message" || command.data!.content !== "bad" || !forbid) return false;
      server.refuse(peer, command, "forbidden");
      return true;
    };
    client.connect();
    const bad = client.send(message("bad"));
    const good = client.send(message("good"));
    await assert.rejects(bad, (error: ParleyClientError) => error.code === "forbidden");
    await good;
    const [failed] = client.pending();
    assert.equal(failed!.state, "failed");
    forbid = false;
    client.retry(failed!.clientMessageId);
    await until(() => client.pending().length === 0, "the retried message is stored");
    assert.equal(server.log.length, 2);
  }));

Deno.test("the outbox has a limit, and a message that is too large is never sent", () =>
  withServer(async (server, open) => {
    server.limits.messageBytes = 2_000;
    const client = open({ maxOutbox: 1 });
    const large = client.send(message("x".repeat(3_000)));
    await assert.rejects(
      client.send(message("b")),
      (error: ParleyClientError) => error.code === "outbox_full",
    );
    client.connect();
    await assert.rejects(large, (error: ParleyClientError) => error.code === "too_large");
    assert.equal(server.of("message").length, 0);
  }));

Deno.test("written messages survive a reload, and so do another tab's", () =>
  withServer(async (server, open) => {
    const storage = memoryStorage();
    const before = open({ storage });
    before.send(message("first"));
    before.send(message("second"));
    // Tabs are ordered by the clock, which has milliseconds.
    await new Promise((resolve) => setTimeout(resolve, 5));
    const other = open({ storage });
    other.send(message("third"));
    before.close();
    other.close();
    const after = open({ storage });
    assert.deepEqual(after.pending().map((one) => one.content), ["first", "second", "third"]);
    await after.connect();
    await until(() => after.pending().length === 0, "all are stored");
    assert.deepEqual(
      server.log.map((one) => (one.data as { content: string }).content),
      ["first", "second", "third"],
    );
    assert.equal(storage.length, 0);
  }));

Deno.test("two tabs that hold the same entry store it once", () =>
  withServer(async (server, open) => {
    const storage = memoryStorage();
    const one = open({ storage });
    one.send(message("shared"));
    const two = open({ storage });
    await Promise.all([one.connect(), two.connect()]);
    await until(() => one.pending().length + two.pending().length === 0, "both are done");
    assert.equal(server.log.length, 1);
  }));

Deno.test("close 3500 is final, and connect starts again", () =>
  withServer(async (server, open) => {
    const client = open();
    server.intercept = (command, peer) => {
      if (command.type !== "auth") return false;
      server.refuse(peer, command, "invalid_token");
      peer.close(3500, "Not authenticated");
      return true;
    };
    await assert.rejects(
      client.connect(),
      (error: ParleyClientError) => error.code === "invalid_token",
    );
    assert.equal(client.state, "failed");
    server.intercept = () => false;
    // One that tries again does so meanwhile.
    const other = open();
    await other.connect();
    for (const peer of server.peers) peer.close(1012);
    await until(() => server.connections === 3, "the other one again");
    assert.equal(client.state, "failed");
    await client.connect();
    assert.equal(client.state, "connected");
  }));

Deno.test("credentials are requested for each connection; a final refusal ends the client", () =>
  withServer(async (server, open) => {
    let asked = 0;
    const client = open({
      credentials: () => {
        if (++asked === 3) throw Object.assign(new Error("signed out"), { final: true });
        return { token: `t${asked}` };
      },
    });
    await client.connect();
    for (const peer of server.peers) peer.close(3005);
    await until(() => server.of("auth").length === 2, "authenticated again");
    assert.deepEqual(server.of("auth").map((one) => one.data!.token), ["t1", "t2"]);
    await until(() => client.state === "connected", "connected");
    for (const peer of server.peers) peer.close(3005);
    await until(() => client.state === "failed", "failed");
    assert.equal(client.error?.message, "signed out");
  }));

Deno.test("gives up after maxAttempts, and reconnects with reconnectNow", async () => {
  const server = startServer();
  const port = Number(new URL(server.url).port);
  await server.stop();
  const client = makeClient(server, { maxAttempts: 2 });
  await assert.rejects(
    client.connect(),
    (error: ParleyClientError) => error.code === "too_many_attempts",
  );
  const again = startServer(port);
  client.reconnectNow();
  await until(() => client.state === "connected", "connected");
  client.close();
  await again.stop();
});

Deno.test("after an announced restart it waits exactly the announced time", () =>
  withServer(async (server, open) => {
    const client = open({ minDelayMs: 300_000, maxDelayMs: 300_000 });
    await client.connect();
    const began = Date.now();
    for (const peer of server.peers) {
      peer.event("reconnect", { retryAfter: 150 });
      peer.close(3001);
    }
    await until(() => server.connections === 2, "came back");
    const took = Date.now() - began;
    assert.ok(took >= 145, `came back after ${took} ms`);
  }));

Deno.test("a request in flight when the connection ends is rejected; a request made without one waits", () =>
  withServer(async (server, open) => {
    const client = open();
    await client.connect();
    server.intercept = (command, peer) => {
      if (command.type !== "page") return false;
      peer.close(3011);
      return true;
    };
    await assert.rejects(
      client.request("page", { url: "https://a.example" }),
      (error: ParleyClientError) => error.code === "disconnected",
    );
    server.intercept = () => false;
    assert.notEqual(client.state, "connected");
    await client.request("presence", { status: "away" });
    assert.equal(server.of("presence").length, 1);
  }));

Deno.test("refresh sends a new token on the same connection", () =>
  withServer(async (server, open) => {
    let asked = 0;
    const client = open({ credentials: () => ({ token: `t${++asked}` }) });
    server.intercept = (command, peer) => {
      if (command.type !== "auth") return false;
      const expiresAt = new Date(Date.now() + 1_500).toISOString();
      server.reply(peer, command, {
        userId: "u",
        userName: "U",
        role: "agent",
        presence: [],
        expiresAt,
      });
      return true;
    };
    await client.connect();
    await until(() => server.of("refresh").length === 1, "refreshed by itself");
    assert.deepEqual(server.of("refresh")[0]!.data, { token: "t2" });
    assert.equal(server.connections, 1);
  }));

Deno.test("several events in one frame, unknown ones and garbage among them", () =>
  withServer(async (server, open) => {
    const client = open();
    await client.connect();
    const seen: number[] = [];
    client.on("unread", (data) => seen.push(data.unread));
    const unread = (count: number) =>
      JSON.stringify({ type: "unread", timestamp: "", data: { unread: count } });
    for (const peer of server.peers) {
      peer.raw([unread(1), "{broken", '{"type":"from_the_future"}', unread(2)].join("\n"));
    }
    await until(() => seen.length === 2, "both arrived");
    assert.deepEqual(seen, [1, 2]);
  }));

Deno.test("a visitor's first message opens the conversation, and identity says so", () =>
  withServer(async (server, open) => {
    const client = open({ credentials: () => ({ sessionId: "s" }) });
    await client.connect();
    const opened: unknown[] = [];
    client.on("identity", ({ conversationId }) => opened.push(conversationId));
    await client.send({ content: "hello" });
    assert.deepEqual(opened, [CONVERSATION]);
    assert.equal("conversationId" in server.of("message")[0]!.data!, false);
  }));
