import assert from "node:assert/strict";
import { createTokens } from "../../domain/agents/tokens.ts";
import { ConversationEvent } from "../../protocol/topics.ts";
import { call, cast, login, openSession, post } from "../support/http.ts";
import { onEitherEngine, startServer, type TestServer } from "../support/server.ts";
import { connect } from "../support/socket.ts";
import { type Frame, openTopics, TopicsSocket } from "../support/topics.ts";

const SECRET = "a secret that only this test has, long enough";

/** Everything that this server has sent so far has arrived. */
async function caughtUp(socket: TopicsSocket): Promise<void> {
  const from = socket.received.length;
  socket.send({ type: "ping" });
  await socket.until(({ type }) => type === "pong", from);
}

async function note(server: TestServer, token: string, id: string, content: string) {
  const body = { content, clientMessageId: crypto.randomUUID(), isPrivate: true };
  return await call(server, "POST", `/api/conversations/${id}/messages`, { token, body });
}

async function read(server: TestServer, token: string, id: string, seq: number) {
  const body = { seq };
  return await call(server, "POST", `/api/conversations/${id}/read`, { token, body });
}

onEitherEngine("topics: the document's messages, typed in", async (server) => {
  const { agent, visitor, conversation } = await cast(server);
  const socket = await openTopics(server, { token: agent.token });
  const subscribed = await socket.ask({
    "type": "subscription",
    "action": "subscribe",
    "topic": "conversationEvent",
    "resourceID": conversation.id,
  });
  const { position, ...answer } = subscribed;
  assert.deepEqual(answer, {
    type: "subscription",
    action: "subscribed",
    topic: "conversationEvent",
    resourceID: conversation.id,
  });
  assert.equal(position, `${conversation.id}.${conversation.epoch}.0.0`);

  const message = await post(server, visitor.sessionId, conversation.id, "Message content");
  const event = await socket.event(({ event }) => event === "message");
  assert.deepEqual(event, {
    type: "conversationEvent",
    id: `${conversation.id}.${conversation.epoch}.1`,
    conversationID: conversation.id,
    event: "message",
    seq: 1,
    messageID: message.id,
    message: { status: "sent", body: { type: "text", text: "Message content" } },
    isPrivate: false,
    conversation: null,
    actorID: visitor.contact.id,
    actorType: "contact",
    createdAt: message.createdAt,
    updatedAt: message.createdAt,
  });
  await post(server, agent.token, conversation.id, "An answer");
  const second = await socket.event(({ seq }) => seq === 2);
  assert.deepEqual([second.actorID, second.actorType], [agent.user.id, "agent"]);

  const unsubscribed = await socket.ask({
    "type": "subscription",
    "action": "unsubscribe",
    "topic": "conversationEvent",
    "resourceID": conversation.id,
  });
  assert.deepEqual(unsubscribed, { ...answer, action: "unsubscribed" });
  await post(server, visitor.sessionId, conversation.id, "Nobody listens");
  await caughtUp(socket);
  assert.deepEqual(socket.events.map(({ seq }) => seq), [1, 2]);
  await socket.close();
});

onEitherEngine(
  "topics: everything that happens is an event, to each as they may see it",
  async (server) => {
    const { agent, visitor, conversation: { id } } = await cast(server);
    const a = await openTopics(server, { token: agent.token });
    const v = await openTopics(server, { sessionId: visitor.sessionId });
    await a.subscribe(id);
    await v.subscribe(id);
    const first = await post(server, visitor.sessionId, id, "First");
    const own = await connect(server, { sessionId: visitor.sessionId });
    const theirs = await connect(server, { token: agent.token });
    await theirs.ack("delivered", { conversationId: id, seq: 1 });
    await read(server, agent.token, id, 1);
    await own.ack("edit_message", { conversationId: id, messageId: first.id, content: "First!" });
    await theirs.ack("delete_message", { conversationId: id, messageId: first.id });
    await note(server, agent.token, id, "A note");
    const body = { status: "pending", assigneeId: agent.user.id };
    await call(server, "PATCH", `/api/conversations/${id}`, { token: agent.token, body });
    await post(server, agent.token, id, "Last");
    for (const socket of [a, v]) {
      await socket.event(({ message }) => message?.body.text === "Last");
      for (const event of socket.events) ConversationEvent.parse(event);
    }

    const short = ({ event, seq, upTo, message, conversation, actorType }: ConversationEvent) => [
      event,
      seq,
      upTo ?? conversation ?? message?.body.text ?? null,
      actorType,
    ];
    const all = [
      ["message", 1, "First", "contact"],
      ["delivered", 1, 1, "agent"],
      ["read", 1, 1, "agent"],
      ["message_updated", 2, "First!", "contact"],
      ["message_deleted", 3, null, "agent"],
      ["message", 4, "A note", "agent"],
      ["read", 4, 4, "agent"],
      ["conversation_changed", 5, { assigneeID: agent.user.id }, "agent"],
      ["conversation_changed", 6, { status: "pending" }, "agent"],
      ["message", 7, "Last", "agent"],
    ];
    assert.deepEqual(a.events.map(short), all);
    assert.deepEqual(v.events.map(short), all.filter(([, , what]) => what !== "A note"));
    assert.deepEqual(a.events[8]!.message, {
      status: "sent",
      body: { type: "activity", text: `${agent.user.name} marked the conversation as pending` },
    });
    assert.equal(v.events[7]!.message, null);
    assert.deepEqual(a.events.filter(({ isPrivate }) => isPrivate).map(({ seq }) => seq), [4]);
    assert.ok(!JSON.stringify(v.received).includes("A note"));
    const [updated, deleted] = a.events.slice(3, 5);
    assert.deepEqual([updated!.messageID, deleted!.messageID], [first.id, first.id]);
    assert.equal(deleted!.actorID, agent.user.id, "an admin deleted somebody else's message");
    assert.equal(new Set(a.events.map((event) => event.id)).size, a.events.length);
    // The place of the note is told to the visitor, and nothing else of it.
    assert.deepEqual(v.received.filter(({ type }) => type === "position"), [{
      type: "position",
      topic: "conversationEvent",
      resourceID: id,
      position: a.events[5]!.id,
    }]);

    // What was read before is not read again, and nobody is told so.
    await read(server, agent.token, id, 1);
    await post(server, agent.token, id, "After");
    await a.event(({ message }) => message?.body.text === "After");
    assert.equal(a.events.filter(({ event }) => event === "read").length, 2);
    await Promise.all([a, v, own, theirs].map((one) => one.close()));
  },
);

onEitherEngine("topics: nobody follows what they may not see", async (server) => {
  const { agent, key, visitor, conversation: { id } } = await cast(server);
  const stranger = await openSession(server, key);
  const socket = await openTopics(server, { sessionId: stranger.sessionId });
  const unknown = crypto.randomUUID();
  for (const resourceID of [id, unknown]) {
    const refused = await socket.subscribe(resourceID);
    assert.equal(refused.code, "not_found");
    assert.equal(refused.message, `Cannot find the conversation "${resourceID}"`);
    assert.deepEqual([refused.topic, refused.resourceID], ["conversationEvent", resourceID]);
  }
  await socket.subscribe(id, `${id}.x.1`);
  await post(server, visitor.sessionId, id, "A secret");
  await post(server, agent.token, id, "Another");
  await caughtUp(socket);
  assert.deepEqual(socket.events, []);
  assert.ok(!JSON.stringify(socket.received).includes("secret"));
  await socket.close();
});

Deno.test("topics: what is wrong is said, and the connection goes on", async () => {
  const server = await startServer("pglite", { MAX_SUBSCRIPTIONS: "1" });
  try {
    const { agent, key, conversation: { id } } = await cast(server);
    const socket = await openTopics(server, { token: agent.token });
    const good = { type: "subscription", action: "subscribe", topic: "conversationEvent" };
    const wrong: [unknown, string, RegExp][] = [
      ["{", "bad_json", /not valid JSON/],
      ['"text"', "bad_frame", /an object/],
      ["[]", "bad_frame", /an object/],
      ["null", "bad_frame", /an object/],
      [{}, "bad_frame", /an object/],
      [{ type: 7 }, "bad_frame", /an object/],
      [{ type: "a".repeat(65) }, "bad_frame", /an object/],
      ['{"type":"subscription\\u0000"}', "bad_json", /U\+0000/],
      [{ type: "nope" }, "unknown_type", /unknown type "nope"/],
      [{ type: "conversationEvent" }, "unknown_type", /unknown type "conversationEvent"/],
      [{ ...good, resourceID: id, action: "destroy" }, "invalid", /action is "destroy"/],
      [{ ...good, resourceID: id, action: undefined }, "invalid", /action is undefined/],
      [{ ...good, resourceID: id, topic: "users" }, "invalid", /topic is "users"/],
      [{ ...good, resourceID: id, topic: { $ne: null } }, "invalid", /topic is \{"\$ne":null\}/],
      [good, "invalid", /"resourceID"/],
      [{ ...good, resourceID: "conversation-id-here" }, "invalid", /"resourceID"/],
      [{ ...good, resourceID: [id] }, "invalid", /"resourceID"/],
      [{ ...good, resourceID: id, after: 7 }, "invalid", /"after"/],
      [{ ...good, resourceID: id, after: "" }, "invalid", /Cannot go on after ""/],
      [{ ...good, resourceID: id, after: "garbage" }, "invalid", /after "garbage"/],
      [{ ...good, resourceID: id, after: `${id}.e.-1` }, "invalid", /Cannot go on after/],
      [{ ...good, resourceID: id, after: `${id}.e.1.2.3` }, "invalid", /Cannot go on after/],
      [{ ...good, resourceID: id, after: `${id}.e.${"9".repeat(30)}` }, "invalid", /go on after/],
      [{ ...good, resourceID: id, after: `${crypto.randomUUID()}.e.1` }, "invalid", /go on after/],
      [{ type: "auth" }, "invalid", /"token" or "sessionId"/],
      [{ type: "auth", token: "a.b.c" }, "invalid_token", /not valid/],
    ];
    for (const [frame, code, sentence] of wrong) {
      const answer = await socket.ask(frame);
      assert.equal(answer.type, "error", JSON.stringify(frame));
      assert.equal(answer.code, code, JSON.stringify(frame));
      assert.match(answer.message, sentence);
    }
    const named = await socket.ask({ ...good, topic: "users", resourceID: id });
    assert.deepEqual([named.topic, named.resourceID], ["users", id]);
    const longest = "x".repeat(100);
    const atLimit = await socket.ask({ ...good, topic: longest, resourceID: `${longest}y` });
    assert.deepEqual([atLimit.topic, atLimit.resourceID], [longest, undefined]);
    const huge = await socket.ask({
      ...good,
      topic: "x".repeat(5000),
      resourceID: "y".repeat(5000),
    });
    assert.ok(JSON.stringify(huge).length < 1000, "an error does not repeat all that it was sent");
    socket.socket.send(new Uint8Array([1, 2, 3]));
    const binary = await socket.until(({ message }) => /binary/.test(message));
    assert.equal(binary.code, "bad_frame");
    assert.equal((await socket.ask("x".repeat(70_000))).code, "too_large");

    assert.equal((await socket.subscribe(id)).action, "subscribed");
    const again = await socket.subscribe(id);
    assert.deepEqual([again.action, again.position], ["subscribed", undefined]);
    const other = await openSession(server, key);
    const { body } = await call(server, "POST", "/api/conversations", {
      token: other.sessionId,
      body: {},
    });
    const tooMany = await socket.subscribe(body.id as string);
    assert.deepEqual([tooMany.code, tooMany.limit], [
      "too_many_subscriptions",
      "MAX_SUBSCRIPTIONS",
    ]);
    await socket.ask({ ...good, action: "unsubscribe", resourceID: id });
    assert.equal((await socket.subscribe(body.id as string)).action, "subscribed");
    assert.equal(
      (await socket.ask({ ...good, action: "unsubscribe", resourceID: id })).action,
      "unsubscribed",
      "ending what is over is no error",
    );
    await socket.close();
  } finally {
    await server.close();
  }
});

Deno.test("topics: credentials are told good or bad, and end in time", async () => {
  const server = await startServer("pglite", {
    JWT_SECRET: SECRET,
    AUTH_TIMEOUT_MS: "1500",
    ACCESS_TOKEN_MS: "6000",
    TOKEN_GRACE_MS: "1000",
  });
  try {
    const { agent, visitor, conversation: { id } } = await cast(server);
    const signInId = crypto.randomUUID();
    const expired = await createTokens(SECRET, -5000).issue(agent.user.id, "admin", signInId);
    const forged = await createTokens("x".repeat(40), 5000).issue(agent.user.id, "admin", signInId);
    const ended = await createTokens(SECRET, 5000).issue(agent.user.id, "admin", signInId);
    const bad: [string, string, number][] = [
      [`?token=${expired.token}`, "token_expired", 3005],
      [`?token=${forged.token}`, "invalid_token", 3500],
      [`?token=${ended.token}`, "invalid_token", 3500],
      ["?token=YOUR_JWT_TOKEN", "invalid_token", 3500],
      ["?sessionId=made-up", "invalid_session", 3500],
    ];
    for (const [query, code, close] of bad) {
      const socket = new TopicsSocket(server, query);
      await socket.opened;
      // Sent without waiting, as the document's client does; it must come to nothing.
      socket.send({
        type: "subscription",
        action: "subscribe",
        topic: "conversationEvent",
        resourceID: id,
      });
      assert.equal((await socket.closed).code, close, query);
      assert.deepEqual(socket.received.map((frame: Frame) => [frame.type, frame.code]), [
        ["error", code],
      ]);
    }

    const silent = new TopicsSocket(server);
    await silent.opened;
    assert.equal((await silent.ask({ type: "subscription" })).code, "unauthenticated");
    assert.equal((await silent.ask({ type: "ping" })).type, "pong");
    assert.equal((await silent.closed).code, 3006);
    assert.equal(silent.received.at(-1).code, "auth_timeout");

    const byFrame = new TopicsSocket(server);
    await byFrame.opened;
    const said = await byFrame.ask({ type: "auth", sessionId: visitor.sessionId });
    assert.deepEqual([said.type, said.actorID, said.actorType], [
      "authenticated",
      visitor.contact.id,
      "contact",
    ]);
    await byFrame.close();

    const socket = await openTopics(server, { token: (await login(server)).token });
    await socket.subscribe(id);
    const renewed = await socket.ask({ type: "auth", token: (await login(server)).token });
    assert.deepEqual([renewed.type, renewed.actorType], ["authenticated", "agent"]);
    await post(server, visitor.sessionId, id, "Still there?");
    await socket.event(({ message }) => message?.body.text === "Still there?");
    await socket.until(({ code }) => code === "token_expired");
    assert.equal((await socket.closed).code, 3005);
  } finally {
    await server.close();
  }
});

onEitherEngine("topics: who was away gets exactly what they missed", async (server) => {
  const { agent, key, visitor, conversation } = await cast(server);
  const { id, epoch } = conversation;
  const first = await openTopics(server, { sessionId: visitor.sessionId });
  const { position } = await first.subscribe(id);
  await post(server, agent.token, id, "One");
  const one = await first.event(({ seq }) => seq === 1);
  await first.close();
  await read(server, visitor.sessionId, id, 1);
  await post(server, agent.token, id, "Two");
  await note(server, agent.token, id, "A note");
  await post(server, visitor.sessionId, id, "Three");
  await read(server, agent.token, id, 4);

  const missed = async (after: string, who: { token: string } | { sessionId: string }) => {
    const socket = await openTopics(server, who);
    const answer = await socket.subscribe(id, after);
    await caughtUp(socket);
    const events = socket.events.map(({ event, seq, upTo }) =>
      upTo === undefined ? `${event} ${seq}` : `${event} ${upTo} behind ${seq}`
    );
    const ids = socket.received.flatMap(({ type, id: own, position: hidden }: Frame) =>
      type === "conversationEvent" ? [own] : type === "position" ? [hidden] : []
    );
    await socket.close();
    return { answer, events, ids };
  };
  const asVisitor = { sessionId: visitor.sessionId };
  const asAgent = { token: agent.token };
  // The contact read the first message; of the agents' pointer only the last move is kept, which
  // follows from the visitor's message behind the note.
  const rest = ["read 1 behind 1", "message 2", "message 4", "read 4 behind 4"];
  const fromOne = await missed(one.id, asVisitor);
  assert.deepEqual(fromOne.events, rest);
  assert.equal(fromOne.answer.reset, undefined);
  assert.equal(fromOne.answer.position, `${id}.${epoch}.4.3`);
  assert.deepEqual((await missed(position, asVisitor)).events, ["message 1", ...rest]);
  assert.deepEqual((await missed("0", asVisitor)).events, ["message 1", ...rest]);
  assert.deepEqual((await missed(one.id, asAgent)).events, [
    ...rest.slice(0, 2),
    "message 3",
    ...rest.slice(2),
  ]);
  // From every event the rest, no more and no less, also from a hidden one.
  for (let i = 0; i < fromOne.ids.length; i++) {
    const { ids } = await missed(fromOne.ids[i], asVisitor);
    assert.deepEqual(ids, fromOne.ids.slice(i + 1), `after ${fromOne.ids[i]}`);
  }
  assert.deepEqual((await missed(fromOne.answer.position, asVisitor)).ids, []);

  // What cannot be told is said, and it goes on from there.
  for (const after of [`${id}.${epoch}.5`, `${id}.${epoch}.4.9`, `${id}.000000000000.1`]) {
    const answer = await missed(after, asVisitor);
    assert.equal(answer.answer.reset, true, after);
    assert.equal(answer.answer.position, fromOne.answer.position);
    assert.deepEqual(answer.events, []);
  }
  const stranger = await openSession(server, key);
  const theirs = await missed(one.id, { sessionId: stranger.sessionId });
  assert.equal(theirs.answer.code, "not_found");

  for (let i = 0; i < 8; i++) await post(server, agent.token, id, `m${i}`);
  const far = await missed(`${id}.${epoch}.4`, asVisitor);
  assert.equal(far.answer.reset, true, "more than a replay may be");
  const near = await missed(`${id}.${epoch}.5.3`, asVisitor);
  assert.deepEqual(near.events, [6, 7, 8, 9, 10, 11, 12].map((seq) => `message ${seq}`));
}, { MAX_REPLAY_EVENTS: "7" });

onEitherEngine(
  "topics: subscribing while others write misses nothing and repeats nothing",
  async (server) => {
    const { agent, visitor, conversation: { id } } = await cast(server);
    const total = 120;
    const a = await connect(server, { token: agent.token });
    const v = await connect(server, { sessionId: visitor.sessionId });
    const writing = (async () => {
      for (let i = 1; i <= total; i++) {
        const content = `m${i}`;
        await a.ack("message", { conversationId: id, content, clientMessageId: content });
        // Each read moves the contact's pointer, and is an event between two messages.
        if (i % 3 === 0) v.send("read", { conversationId: id, seq: i });
      }
      await v.ack("read", { conversationId: id, seq: total });
    })();
    const seen: Frame[] = [];
    let after = "0";
    while (!seen.some(({ event, upTo }) => event === "read" && upTo === total)) {
      const socket = await openTopics(server, { sessionId: visitor.sessionId });
      await socket.subscribe(id, after);
      await caughtUp(socket);
      await socket.close();
      seen.push(...socket.events);
      after = seen.at(-1)?.id ?? after;
    }
    await writing;
    const messages = seen.filter(({ event }) => event === "message");
    assert.deepEqual(messages.map(({ seq }) => seq), messages.map((_, i) => i + 1));
    assert.equal(messages.length, total);
    assert.equal(new Set(seen.map(({ id }) => id)).size, seen.length);
    const reads = seen.filter(({ event }) => event === "read").map(({ upTo }) => upTo);
    assert.deepEqual(reads, reads.toSorted((x, y) => x - y));
    await Promise.all([a.close(), v.close()]);
  },
  { LIMIT_MESSAGES_PER_MINUTE: "100000", LIMIT_CONNECTIONS_PER_MINUTE: "100000" },
);

Deno.test("topics: a long replay waits for its reader instead of sending them away", async () => {
  const server = await startServer("pglite", { MAX_QUEUE_BYTES: "65536" });
  try {
    const { agent, visitor, conversation: { id } } = await cast(server);
    const long = "x".repeat(19_000);
    for (let i = 0; i < 40; i++) await post(server, agent.token, id, long);
    const socket = await openTopics(server, { sessionId: visitor.sessionId });
    await socket.subscribe(id, "0");
    await socket.event(({ seq }) => seq === 40);
    assert.deepEqual(
      socket.events.map(({ seq }) => seq),
      Array.from({ length: 40 }, (_, i) => i + 1),
    );
    await socket.close();
  } finally {
    await server.close();
  }
});

Deno.test("topics: a restart and the heartbeat are told", async () => {
  const server = await startServer("pglite", { HEARTBEAT_MS: "1000" });
  try {
    const { agent, conversation } = await cast(server);
    await post(server, agent.token, conversation.id, "One");
    const socket = await openTopics(server, { token: agent.token });
    await socket.subscribe(conversation.id);
    const place = `${conversation.id}.${conversation.epoch}.1`;
    await socket.until(({ type, positions }) =>
      type === "heartbeat" && positions[conversation.id] === place
    );
    await server.stop();
    assert.equal((await socket.until(({ type }) => type === "reconnect")).retryAfter, 0);
    assert.equal((await socket.closed).code, 3001);
    await server.restart();
    const back = await openTopics(server, { token: agent.token });
    const answer = await back.subscribe(conversation.id, place);
    assert.deepEqual([answer.reset, answer.position], [undefined, `${place}.0`]);
    await back.close();
  } finally {
    await server.close();
  }
});

onEitherEngine(
  "topics: what happens at the same moment has one order, without a gap",
  async (server) => {
    const { agent, visitor, conversation: { id } } = await cast(server);
    const second = { email: "grace@example.com", password: "correct horse battery" };
    const body = { ...second, name: "Grace", role: "agent" };
    await call(server, "POST", "/api/users", { token: agent.token, body });
    const people = await Promise.all([
      connect(server, { token: agent.token }),
      connect(server, { token: (await login(server, second)).token }),
      connect(server, { sessionId: visitor.sessionId }),
    ]);
    const socket = await openTopics(server, { token: agent.token });
    await socket.subscribe(id);
    for (let round = 0; round < 15; round++) {
      // One frame each: they share transactions, in every mixture.
      const seq = round * 5;
      const lines = people.map((_, who) => [
        { type: "delivered", data: { conversationId: id, seq: seq + who } },
        { type: "read", data: { conversationId: id, seq: seq + 1 } },
        {
          type: "message",
          data: {
            conversationId: id,
            content: `m${round}`,
            clientMessageId: `${round}`,
            isPrivate: who === 1,
          },
        },
        { type: "delivered", data: { conversationId: id, seq: seq + 4 } },
        { type: "read", data: { conversationId: id, seq: seq + 2 } },
      ]);
      await Promise.all(people.map(async (person, who) => {
        const frame = lines[who]!.map((line, i) =>
          JSON.stringify({ ...line, id: `${round}-${i}` })
        );
        person.raw(frame.join("\n"));
        await person.until(({ type, id }) => type === "ack" && id === `${round}-4`, "the last ack");
      }));
    }
    await post(server, visitor.sessionId, id, "The end");
    await socket.event(({ message }) => message?.body.text === "The end");
    const places = socket.events.map((event) => event.id.split(".").slice(2).map(Number));
    const numbers = places.flatMap(([, number]) => number ?? []);
    assert.ok(numbers.length > 5);
    assert.deepEqual(numbers, numbers.map((_, i) => i + 1));
    const seqs = places.filter(([, number]) => number === undefined).map(([seq]) => seq);
    assert.deepEqual(seqs, seqs.map((_, i) => i + 1));
    // A receipt comes behind its event and before the next one.
    let last = 0;
    for (const [seq, number] of places) {
      if (number === undefined) last = seq!;
      else assert.equal(seq, last);
    }
    // What the log tells afterwards agrees with what was told live.
    const replay = await openTopics(server, { token: agent.token });
    await replay.subscribe(id, "0");
    await replay.event(({ message }) => message?.body.text === "The end");
    const live = new Map(socket.events.map((event) => [event.id, event]));
    for (const event of replay.events) {
      const { message: _, ...rest } = event;
      const { message: __, ...known } = live.get(event.id)!;
      assert.deepEqual(rest, known);
    }
    await Promise.all([...people, socket, replay].map((one) => one.close()));
  },
  { LIMIT_MESSAGES_PER_MINUTE: "100000" },
);
