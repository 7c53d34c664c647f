import assert from "node:assert/strict";
import { call, cast, login, post } from "./support/http.ts";
import { onBothEngines, startServer, type TestServer } from "./support/server.ts";
import { testWith } from "./support/services.ts";
import { connect } from "./support/socket.ts";
import { change, changesOf, place } from "./support/tables.ts";

const resolve = (server: TestServer, token: string, id: string, status: string) =>
  call(server, "PATCH", `/api/conversations/${id}`, { token, body: { status } });

onBothEngines("what is subscribed to comes, with all its fields, and ends", async (server) => {
  const { agent, visitor, conversation } = await cast(server);
  const a = await connect(server, { token: agent.token });
  const all = await a.ack("subscribe", { table: "conversations" });
  assert.match(all.position, /^[0-9a-f]{12}-\d+$/);
  assert.deepEqual(Object.keys(all).sort(), ["position", "subscription"]);
  const resolved = await a.ack("subscribe", {
    table: "conversations",
    events: ["UPDATE"],
    filter: "status=resolved & last_seq>=1",
  });
  const inserts = await a.ack("subscribe", { table: "chat_messages", events: ["INSERT"] });
  assert.equal(new Set([all, resolved, inserts].map((one) => one.subscription)).size, 3);

  await post(server, visitor.sessionId, conversation.id, "Hello");
  await resolve(server, agent.token, conversation.id, "resolved");
  const update = await change(a, resolved.subscription, 1);
  assert.deepEqual(Object.keys(update).sort(), [
    "data",
    "event",
    "eventType",
    "id",
    "new",
    "old",
    "subscription",
    "table",
    "timestamp",
  ]);
  assert.deepEqual([update.table, update.event, update.eventType], [
    "conversations",
    "UPDATE",
    "UPDATE",
  ]);
  assert.deepEqual(update.data, update.new);
  assert.deepEqual([update.old!["status"], update.new!["status"]], ["open", "resolved"]);
  assert.ok(!Number.isNaN(Date.parse(update.timestamp)));
  assert.match(update.data["created_at"] as string, /^\d{4}-\d\d-\d\dT[\d:]{8}\.\d{3}Z$/);
  // Both rows of the log: the message, and the line that says what happened.
  assert.equal((await change(a, inserts.subscription, 2)).data["type"], "activity");
  assert.deepEqual(
    changesOf(a, all.subscription).map(({ data }) => data["status"]),
    ["open", "resolved"],
  );
  assert.equal(changesOf(a, resolved.subscription).length, 1);

  await a.ack("unsubscribe", { subscription: inserts.subscription });
  await post(server, visitor.sessionId, conversation.id, "Again");
  await a.until(
    () => changesOf(a, all.subscription).some(({ data }) => data["last_seq"] === 4),
    "the end",
  );
  assert.equal(changesOf(a, inserts.subscription).length, 2);
  const gone = await a.ask("unsubscribe", { subscription: inserts.subscription });
  assert.equal((gone.data as { code: string }).code, "not_found");
  await a.close();
});

onBothEngines("a subscription starts at its position and goes on from an id", async (server) => {
  const { agent, visitor, conversation } = await cast(server);
  const request = { table: "chat_messages", events: ["INSERT"] };
  await post(server, visitor.sessionId, conversation.id, "before");
  const a = await connect(server, { token: agent.token });
  const first = await a.ack("subscribe", request);
  await post(server, visitor.sessionId, conversation.id, "one");
  const one = await change(a, first.subscription, 1);
  assert.equal(one.data["content"], "one");
  assert.ok(place(one.id) > place(first.position));
  await a.close();

  for (const content of ["two", "three"]) {
    await post(server, visitor.sessionId, conversation.id, content);
  }
  await post(server, agent.token, conversation.id, "answer");
  const b = await connect(server, { token: agent.token });
  const contents = (answer: { changes: { data: { content: string } }[] }) =>
    answer.changes.map(({ data }) => data.content);
  const missed = await b.ack("subscribe", { ...request, after: one.id });
  assert.equal(missed.recovered, true);
  assert.deepEqual(contents(missed), ["two", "three", "answer"]);
  const filtered = await b.ack("subscribe", {
    ...request,
    filter: "sender_role=visitor & content!=two",
    after: first.position,
  });
  assert.deepEqual(contents(filtered), ["one", "three"]);
  // The same again, from elsewhere: it starts anew from there, and goes on live.
  const again = await b.ack("subscribe", { ...request, after: missed.changes[1].id });
  assert.equal(again.subscription, missed.subscription);
  assert.deepEqual(contents(again), ["answer"]);
  await post(server, visitor.sessionId, conversation.id, "four");
  assert.equal((await change(b, again.subscription, 1)).data["content"], "four");
  assert.equal(changesOf(b, again.subscription).length, 1);

  // What is not known: another history, and what has not happened.
  const [epoch, digits] = first.position.split("-");
  for (const after of [`000000000000-${digits}`, `${epoch}-999999999`]) {
    const lost = await b.ack("subscribe", { ...request, filter: `seq>${after.length}`, after });
    assert.deepEqual([lost.recovered, lost.changes], [false, []]);
  }
  for (const after of ["", "garbage", "12", `${epoch}--1`, `${epoch}-1.5`, "x".repeat(65), 7]) {
    const refused = await b.ask("subscribe", { ...request, after });
    const { code, fields } = refused.data as { code: string; fields: { path: string }[] };
    assert.deepEqual([code, fields[0]!.path], ["invalid", "after"], String(after));
  }
  await b.close();
});

onBothEngines("what was missed is bounded, and told to be too much", async (server) => {
  const { agent, visitor, conversation } = await cast(server);
  const a = await connect(server, { token: agent.token });
  const { position } = await a.ack("subscribe", { table: "chat_messages" });
  for (let n = 1; n <= 6; n++) await post(server, visitor.sessionId, conversation.id, `m${n}`);
  const ask = (filter: string) =>
    a.ack("subscribe", { table: "chat_messages", filter, after: position });
  const five = await ask("seq<=5");
  assert.deepEqual([five.recovered, five.changes.length], [true, 5]);
  const six = await ask("seq<=6");
  assert.deepEqual([six.recovered, six.changes.length], [false, 0]);
  // It is followed all the same.
  await call(server, "POST", `/api/conversations/${conversation.id}/messages`, {
    token: agent.token,
    body: { content: "private", clientMessageId: "p", isPrivate: true },
  });
  const noted = await a.ack("subscribe", { table: "chat_messages", filter: "is_private=true" });
  assert.ok(place(noted.position) > place(six.position));
  await a.close();
}, { MAX_REPLAY_EVENTS: "5" });

onBothEngines("a deleted text is in no answer, whoever asks from whenever", async (server) => {
  const { agent, visitor, conversation } = await cast(server);
  const v = await connect(server, { sessionId: visitor.sessionId });
  const { subscription, position } = await v.ack("subscribe", { table: "chat_messages" });
  const a = await connect(server, { token: agent.token });
  const previews = await a.ack("subscribe", { table: "conversations" });
  const conversationId = conversation.id;
  const { message } = await v.ack("message", {
    content: "My secret is 1234",
    clientMessageId: "s",
  });
  await v.ack("edit_message", {
    conversationId,
    messageId: message.id,
    content: "My secret is 5678",
  });
  await change(v, subscription, 2);
  await v.ack("delete_message", { conversationId, messageId: message.id });
  const deleted = await change(v, subscription, 3);
  assert.deepEqual([deleted.old!["content"], deleted.new!["content"]], ["", ""]);
  const last = await change(a, previews.subscription, 3);
  assert.deepEqual(
    [last.old!["last_message_preview"], last.new!["last_message_preview"]],
    ["", ""],
  );
  const missed = await a.ack("subscribe", {
    table: "conversations",
    after: previews.position,
  });
  assert.deepEqual([missed.recovered, missed.changes.length], [true, 3]);
  assert.ok(!JSON.stringify(missed).includes("secret is"));
  await a.close();
  for (const credentials of [{ sessionId: visitor.sessionId }, { token: agent.token }]) {
    const again = await connect(server, credentials);
    const answer = await again.ack("subscribe", { table: "chat_messages", after: position });
    assert.deepEqual(
      answer.changes.map(({ event }: { event: string }) => event),
      ["INSERT", "UPDATE", "UPDATE"],
    );
    assert.ok(!JSON.stringify(answer).includes("secret is"));
    await again.close();
  }
  await v.close();
});

onBothEngines("a bad request is refused by name, and the connection goes on", async (server) => {
  const agent = await login(server);
  const a = await connect(server, { token: agent.token });
  const bad: [unknown, string, RegExp][] = [
    [{}, "table", /table/],
    [{ table: "users" }, "table", /table/],
    [{ table: "changes" }, "table", /table/],
    [{ table: "pg_catalog.pg_authid" }, "table", /table/],
    [{ table: "chat_messages", events: [] }, "events", /events/],
    [{ table: "chat_messages", events: ["TRUNCATE"] }, "events.0", /events/],
    [{ table: "chat_messages", events: "INSERT" }, "events", /events/],
    [{ table: "chat_messages", filter: "nope=1" }, "filter", /no column "nope"/],
    [{ table: "widget_configs", filter: "secret=1" }, "filter", /no column "secret"/],
    [{ table: "chat_messages", filter: "seq=x" }, "filter", /"x" is not a number/],
    [{ table: "chat_messages", filter: "seq=1; drop table users" }, "filter", /not a number/],
    [{ table: "chat_messages", filter: "session_id=unknown" }, "filter", /names no session/],
    [{ table: "chat_messages", filter: `content=${"x".repeat(2000)}` }, "filter", /filter/],
    [{ table: "chat_messages", filter: 5 }, "filter", /filter/],
    [{ table: "chat_messages", more: 1 }, "", /more/],
  ];
  for (const [data, path, message] of bad) {
    const answer = await a.ask("subscribe", data);
    assert.equal(answer.type, "error", JSON.stringify(data));
    const { code, fields } = answer.data as { code: string; fields: { path: string }[] };
    assert.deepEqual([code, fields[0]!.path], ["invalid", path], JSON.stringify(data));
    assert.match((answer as { error: string }).error, message);
  }
  for (const data of [{}, { subscription: "" }, { subscription: 1 }]) {
    assert.equal((await a.ask("unsubscribe", data)).type, "error");
  }
  for (let n = 0; n < 4; n++) {
    await a.ack("subscribe", { table: "chat_messages", filter: `seq=${n}` });
  }
  const fifth = await a.ask("subscribe", { table: "chat_messages", filter: "seq=5" });
  const { code, limit } = fifth.data as { code: string; limit: string };
  assert.deepEqual([code, limit], ["too_many_subscriptions", "MAX_SUBSCRIPTIONS"]);
  await a.ack("subscribe", { table: "chat_messages", filter: "seq=3" });
  await a.close();
}, { MAX_SUBSCRIPTIONS: "4" });

testWith(["postgres"], "two nodes on one database tell the same changes", async () => {
  const one = await startServer("postgres");
  const two = await startServer("postgres", {
    DATABASE_URL: one.env["DATABASE_URL"]!,
    JWT_SECRET: "x".repeat(32),
  });
  try {
    const { agent, visitor, conversation } = await cast(one);
    const here = await connect(one, { token: agent.token });
    const there = await connect(two, { token: (await login(two)).token });
    const request = { table: "chat_messages", events: ["INSERT"] };
    const a = await here.ack("subscribe", request);
    const b = await there.ack("subscribe", request);
    await post(one, visitor.sessionId, conversation.id, "at one");
    await post(two, visitor.sessionId, conversation.id, "at two");
    await change(here, a.subscription, 2);
    await change(there, b.subscription, 2);
    const ids = (socket: typeof here) =>
      changesOf(socket).map(({ id, data }) => [id, data["content"]]);
    assert.deepEqual(ids(here), ids(there));
    // An id of one node is good at the other.
    const v = await connect(two, { sessionId: visitor.sessionId });
    const resumed = await v.ack("subscribe", { ...request, after: changesOf(here)[0]!.id });
    assert.equal(resumed.changes.length, 1);
    assert.equal(resumed.changes[0].id, changesOf(there)[1]!.id);
    for (const socket of [here, there, v]) await socket.close();
  } finally {
    await two.close();
    await one.close();
  }
});
