import assert from "node:assert/strict";
import { cast, post } from "./support/http.ts";
import { onBothEngines } from "./support/server.ts";
import { connect } from "./support/socket.ts";

type Logged = { type: string; data: { seq: number; content?: string } };

onBothEngines("a client that was away gets exactly what it missed", async (server) => {
  const { agent, visitor, conversation } = await cast(server);
  const conversationId = conversation.id;
  const first = await connect(server, { sessionId: visitor.sessionId });
  const { epoch, seq } = await first.ack("join", { conversationId });
  assert.equal(seq, 0);
  await first.close();

  const one = await post(server, agent.token, conversationId, "One");
  await post(server, agent.token, conversationId, "Two");
  const a = await connect(server, { token: agent.token });
  await a.ack("edit_message", { conversationId, messageId: one.id, content: "One!" });

  const second = await connect(server, { sessionId: visitor.sessionId });
  const back = await second.ack("join", { conversationId, epoch, seq });
  assert.equal(back.recovered, true);
  assert.equal(back.snapshot, null);
  assert.equal(back.seq, 3);
  const events = back.events as Logged[];
  assert.deepEqual(events.map(({ type }) => type), ["message", "message", "message_updated"]);
  assert.deepEqual(events.map(({ data }) => data.seq), [1, 2, 3]);
  await post(server, agent.token, conversationId, "Four");
  await second.event("message", (message) => message.seq === 4);

  const upToDate = await second.ack("join", { conversationId, epoch, seq: 4 });
  assert.deepEqual([upToDate.recovered, upToDate.events], [true, []]);
  await Promise.all([a.close(), second.close()]);
});

onBothEngines("what cannot be recovered is told, with a snapshot", async (server) => {
  const { agent, visitor, conversation } = await cast(server);
  const conversationId = conversation.id;
  for (let i = 1; i <= 6; i++) await post(server, agent.token, conversationId, `m${i}`);
  const socket = await connect(server, { sessionId: visitor.sessionId });
  const { epoch } = await socket.ack("join", { conversationId });
  const positions = [
    { epoch, seq: 0 },
    { epoch: "another", seq: 5 },
    { seq: 5 },
    { epoch, seq: 99 },
    {},
  ];
  for (const position of positions) {
    const answer = await socket.ack("join", { conversationId, ...position, limit: 4 });
    assert.equal(answer.recovered, false, JSON.stringify(position));
    assert.deepEqual(answer.events, []);
    assert.equal(answer.seq, 6);
    assert.equal(answer.snapshot.hasMore, true);
    assert.deepEqual(
      answer.snapshot.messages.map((message: { content: string }) => message.content),
      ["m3", "m4", "m5", "m6"],
    );
  }
  const near = await socket.ack("join", { conversationId, epoch, seq: 1 });
  assert.equal(near.recovered, true);
  assert.equal(near.events.length, 5);
  await socket.close();
}, { MAX_REPLAY_EVENTS: "5" });

onBothEngines("joining while others write leaves no gap and repeats nothing", async (server) => {
  const { agent, visitor, conversation } = await cast(server);
  const conversationId = conversation.id;
  const writer = await connect(server, { token: agent.token });
  const total = 120;
  const writing = (async () => {
    for (let i = 1; i <= total; i++) {
      writer.send("message", { conversationId, content: `m${i}`, clientMessageId: `${i}` });
      if (i % 5 === 0) await new Promise((resolve) => setTimeout(resolve, 3));
    }
  })();
  for (let round = 0; round < 12; round++) {
    const reader = await connect(server, { sessionId: visitor.sessionId });
    const answer = await reader.ack("join", { conversationId });
    await new Promise((resolve) => setTimeout(resolve, 15));
    const at = reader.received.findIndex((message) =>
      message.type === "ack" && (message.data as { seq?: number }).seq !== undefined
    );
    const live = reader.received.flatMap((message, i) => {
      const { seq } = (message.data ?? {}) as { seq?: number };
      return message.type === "message" && seq !== undefined ? [{ i, seq }] : [];
    });
    assert.ok(live.every(({ i }) => i > at), "nothing comes before the answer to join");
    assert.deepEqual(
      live.map(({ seq }) => seq),
      live.map((_, i) => answer.seq + 1 + i),
      `from ${answer.seq} on`,
    );
    await reader.close();
  }
  await writing;
  await writer.until(
    (message) => message.type === "ack" && message.id === `c${total + 1}`,
    "the last ack",
  );
  await writer.close();
}, { LIMIT_MESSAGES_PER_MINUTE: "100000" });

onBothEngines("a conversation survives a restart with its position", async (server) => {
  const { agent, visitor, conversation } = await cast(server);
  const conversationId = conversation.id;
  await post(server, agent.token, conversationId, "Before");
  const before = await connect(server, { sessionId: visitor.sessionId });
  const { epoch, seq } = await before.ack("join", { conversationId });
  await server.stop();
  assert.equal((await before.event("reconnect")).retryAfter, 0);
  assert.equal((await before.closed).code, 3001);
  await server.restart();
  await post(server, agent.token, conversationId, "After");
  const after = await connect(server, { sessionId: visitor.sessionId });
  const back = await after.ack("join", { conversationId, epoch, seq });
  assert.equal(back.recovered, true);
  assert.deepEqual(back.events.map(({ data }: Logged) => data.content), ["After"]);
  await after.close();
});

onBothEngines("history pages both ways without loss", async (server) => {
  const { agent, visitor, conversation } = await cast(server);
  const conversationId = conversation.id;
  const all = Array.from({ length: 25 }, (_, i) => `m${i + 1}`);
  for (const content of all) await post(server, agent.token, conversationId, content);
  const socket = await connect(server, { sessionId: visitor.sessionId });
  const upwards: string[] = [];
  let before: number | undefined;
  for (;;) {
    const page = await socket.ack("history", { conversationId, before, limit: 7 });
    upwards.unshift(...page.messages.map(({ content }: { content: string }) => content));
    if (!page.hasMore) break;
    before = page.messages[0].seq;
  }
  assert.deepEqual(upwards, all);
  const downwards: string[] = [];
  for (let after = 0;;) {
    const page = await socket.ack("history", { conversationId, after, limit: 7 });
    downwards.push(...page.messages.map(({ content }: { content: string }) => content));
    if (!page.hasMore) break;
    after = page.messages.at(-1).seq;
  }
  assert.deepEqual(downwards, all);
  const both = await socket.ask("history", { conversationId, before: 5, after: 2 });
  assert.equal((both.data as { code: string }).code, "invalid");
  await socket.close();
});
