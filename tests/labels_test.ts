import assert from "node:assert/strict";
import type { LabelList } from "../protocol/labels.ts";
import type { Conversation, Label } from "../protocol/model.ts";
import type { ConversationList } from "../protocol/rest.ts";
import type { EventPage } from "../protocol/topics.ts";
import { connectPeer } from "./protocols/socket_io_peer.ts";
import { chatJson } from "./support/followers.ts";
import { call, cast, login, openSession, post } from "./support/http.ts";
import { makeLabel, setLabels, tagOf } from "./support/labels.ts";
import { onEitherEngine } from "./support/server.ts";
import { connect } from "./support/socket.ts";
import { change } from "./support/tables.ts";
import { openTopics } from "./support/topics.ts";

const SOMEBODY = "01a1f905-b485-7004-91ff-9a78c06738dd";
const GRACE = { email: "grace@example.com", password: "a long enough password" };

onEitherEngine("labels are made, listed by name, changed, and each name is there once", async (
  server,
) => {
  const { token } = await login(server);
  const vip = await makeLabel(server, token, "  VIP  customer ", { color: "amber" });
  const { createdAt, updatedAt } = vip;
  assert.deepEqual(vip, {
    id: vip.id,
    name: "VIP customer",
    color: "amber",
    description: null,
    createdAt,
    updatedAt,
  });
  const bug = await makeLabel(server, token, "bug", { description: "Something is broken" });
  assert.equal(bug.color, "gray");
  const list = async () =>
    (await call<LabelList>(server, "GET", "/api/labels", { token })).body.items;
  assert.deepEqual((await list()).map(({ name }) => name), ["bug", "VIP customer"]);

  const path = `/api/labels/${bug.id}`;
  const patch = (body: unknown, etag?: string) =>
    call<Label & { code: string; detail: string }>(server, "PATCH", path, {
      token,
      body,
      headers: etag === undefined ? {} : { "if-match": etag },
    });
  const etag = (await call(server, "GET", path, { token })).headers.get("etag")!;
  const red = await patch({ color: "red", description: null }, etag);
  assert.deepEqual([red.status, red.body.color, red.body.description], [200, "red", null]);
  assert.equal((await patch({ color: "blue" }, etag)).body.code, "precondition_failed");

  const twice = await call(server, "POST", "/api/labels", {
    token,
    body: { name: "vip Customer" },
  });
  assert.equal(twice.status, 409);
  assert.equal(
    twice.body["detail"],
    'Cannot store the label: there is "VIP customer" already',
  );
  assert.equal((await patch({ name: "VIP CUSTOMER" })).status, 409);
  // Its own name in other letters is no other label's.
  assert.equal((await patch({ name: "Bug" })).body.name, "Bug");
  const same = await Promise.all(
    ["New", "new", "NEW"].map((name) =>
      call(server, "POST", "/api/labels", { token, body: { name } })
    ),
  );
  assert.deepEqual(same.map(({ status }) => status).sort(), [201, 409, 409]);
  assert.equal((await call(server, "DELETE", path, { token })).status, 204);
  assert.equal((await call(server, "GET", path, { token })).status, 404);
});

onEitherEngine("agents may do everything with labels, programs read, visitors nothing", async (
  server,
) => {
  const { agent, visitor } = await cast(server);
  const admin = agent.token;
  const label = await makeLabel(server, admin, "VIP");
  await call(server, "POST", "/api/users", {
    token: admin,
    body: { ...GRACE, name: "Grace", role: "agent" },
  });
  const key = async (...scopes: string[]) =>
    (await call<{ key: string }>(server, "POST", "/api/api-keys", {
      token: admin,
      body: { name: "CRM", scopes },
    })).body.key;
  const cases: [string, string, number[]][] = [
    ["an admin", admin, [200, 200, 201, 200, 204]],
    ["an agent", (await login(server, GRACE)).token, [200, 200, 201, 200, 403]],
    ["a program", await key("conversations:read"), [200, 200, 403, 403, 403]],
    ["another program", await key("messages:write"), [403, 403, 403, 403, 403]],
    ["a visitor", visitor.sessionId, [403, 403, 403, 403, 403]],
    ["nobody", "x".repeat(43), [401, 401, 401, 401, 401]],
  ];
  for (const [who, token, expected] of cases) {
    const path = `/api/labels/${label.id}`;
    const spare = await makeLabel(server, admin, `spare of ${who}`);
    const tries: [string, string, unknown?][] = [
      ["GET", "/api/labels"],
      ["GET", path],
      ["POST", "/api/labels", { name: `new of ${who}` }],
      ["PATCH", path, { color: "red" }],
      ["DELETE", `/api/labels/${spare.id}`],
    ];
    const statuses = [];
    for (const [method, to, body] of tries) {
      statuses.push((await call(server, method, to, { token, body })).status);
    }
    assert.deepEqual(statuses, expected, who);
  }
});

onEitherEngine("labels come and go one by one, whatever others change in the same moment", async (
  server,
) => {
  const { agent: { token }, conversation: { id } } = await cast(server);
  const path = `/api/conversations/${id}`;
  const labels = await Promise.all(
    Array.from({ length: 21 }, (_, i) => makeLabel(server, token, `label ${i}`)),
  );
  const ids = labels.map((label) => label.id).sort();
  const change = (body: unknown) =>
    call<Conversation & { detail: string; fields: { path: string; message: string }[] }>(
      server,
      "PATCH",
      path,
      { token, body },
    );
  const has = async () =>
    (await call<Conversation>(server, "GET", path, { token })).body.labels!.map((one) => one.id);

  await Promise.all(ids.slice(0, 10).map((one) => change({ addLabels: [one] })));
  assert.deepEqual(await has(), ids.slice(0, 10));
  await Promise.all(
    ids.slice(0, 20).map((one, i) =>
      change(i < 5 ? { removeLabels: [one, SOMEBODY] } : { addLabels: [one] })
    ),
  );
  assert.deepEqual(await has(), ids.slice(5, 20));
  const { lastSeq } = (await call<Conversation>(server, "GET", path, { token })).body;
  assert.equal((await change({ removeLabels: [ids[0]], addLabels: [ids[5]] })).status, 200);
  assert.equal((await change({ addLabels: [], removeLabels: [] })).body.lastSeq, lastSeq);

  const unknown = await change({ addLabels: [ids[0], SOMEBODY], status: "resolved" });
  assert.deepEqual([unknown.status, unknown.body.fields[0]!.path], [422, "addLabels.1"]);
  const both = await change({ addLabels: [ids[0]], removeLabels: [ids[1], ids[0]] });
  assert.deepEqual([both.status, both.body.fields[0]!.path], [422, "removeLabels"]);
  const all = await change({ labels: [], removeLabels: [ids[0]] });
  assert.deepEqual([all.status, all.body.fields[0]!.path], [422, "labels"]);
  const full = await change({
    addLabels: [...ids.slice(0, 5), ids[20]],
    status: "resolved",
  });
  assert.equal(full.status, 409);
  assert.equal(
    full.body.detail,
    "Cannot label the conversation: it would have 21 labels, and 20 are possible",
  );
  assert.deepEqual(await has(), ids.slice(5, 20));
  const { status } = (await call<Conversation>(server, "GET", path, { token })).body;
  assert.equal(status, "open");
});

onEitherEngine("there are as many labels as there may be, however they arrive", async (server) => {
  const { token } = await login(server);
  const made: number[] = [];
  const names = Array.from({ length: 208 }, (_, i) => `label ${i}`)[Symbol.iterator]();
  await Promise.all(Array.from({ length: 8 }, async () => {
    for (const name of names) {
      made.push((await call(server, "POST", "/api/labels", { token, body: { name } })).status);
    }
  }));
  const counts = Object.entries(Object.groupBy(made, String)).map(([status, all]) => [
    status,
    all!.length,
  ]);
  assert.deepEqual(counts, [["201", 200], ["409", 8]]);
});

onEitherEngine("a conversation has the labels that it was given last, up to twenty", async (
  server,
) => {
  const { agent, conversation } = await cast(server);
  const { token } = agent;
  const { id } = conversation;
  const vip = await makeLabel(server, token, "VIP", { color: "amber" });
  const bug = await makeLabel(server, token, "Bug", { color: "red" });
  const a = await connect(server, { token });
  const { epoch } = await a.ack("join", { conversationId: id });
  const set = (labels: string[]) => setLabels(server, token, id, labels);

  const both = await set([bug.id, vip.id]);
  assert.deepEqual(both.body.labels, [tagOf(vip), tagOf(bug)]);
  assert.equal(both.body.lastSeq, 1);
  // A durable change like that of a status, without a line in the history.
  const changed = await a.event("conversation_changed");
  assert.deepEqual([changed.seq, changed.labels, changed.message], [
    1,
    both.body.labels,
    undefined,
  ]);
  assert.equal(changed.actor.userId, agent.user.id);
  const row = await a.event("conversation", (data) => data.conversation.lastSeq === 1);
  assert.deepEqual(row.conversation.labels, both.body.labels);

  // The same again is no change.
  assert.equal((await set([vip.id, bug.id])).body.lastSeq, 1);
  assert.deepEqual((await set([vip.id])).body.labels, [tagOf(vip)]);
  assert.deepEqual((await set([])).body.labels, []);
  const history = await call<{ items: unknown[] }>(
    server,
    "GET",
    `/api/conversations/${id}/messages`,
    { token },
  );
  assert.deepEqual(history.body.items, []);
  const again = await connect(server, { token });
  const missed = await again.ack("join", { conversationId: id, epoch, seq: 1 });
  assert.deepEqual(
    missed.events.map((event: { type: string; data: { labels: unknown } }) => event.data.labels),
    [[tagOf(vip)], []],
  );

  const many = [];
  for (let i = 0; i < 21; i++) many.push((await makeLabel(server, token, `label ${i}`)).id);
  const refused: [unknown, string][] = [
    [[vip.id, SOMEBODY], "labels.1"],
    [[vip.id, vip.id], "labels"],
    [["VIP"], "labels.0"],
    [many, "labels"],
    ["VIP", "labels"],
  ];
  for (const [labels, path] of refused) {
    // Nothing of a request that is refused is done.
    const answer = await call<{ code: string; fields: { path: string }[] }>(
      server,
      "PATCH",
      `/api/conversations/${id}`,
      { token, body: { labels, status: "resolved" } },
    );
    assert.deepEqual(
      [answer.status, answer.body.code, answer.body.fields[0]!.path],
      [422, "invalid", path],
    );
  }
  const now = await call<Conversation>(server, "GET", `/api/conversations/${id}`, { token });
  assert.deepEqual([now.body.labels, now.body.status, now.body.lastSeq], [[], "open", 3]);
  assert.equal((await set(many.slice(1))).body.labels?.length, 20);
  await Promise.all([a.close(), again.close()]);
});

onEitherEngine(
  "visitors never see a label, on whatever protocol, only that the log has no gap",
  async (
    server,
  ) => {
    const { agent, key, visitor, conversation } = await cast(server);
    const { id } = conversation;
    const { sessionId } = visitor;
    const label = await makeLabel(server, agent.token, "Troublemaker", { color: "violet" });

    const native = await connect(server, { sessionId });
    const { epoch } = await native.ack("join", { conversationId: id });
    const topics = await openTopics(server, { sessionId });
    await topics.subscribe(id);
    const tables = await chatJson(server, { sessionId });
    const io = await connectPeer(server, { sessionId });
    await io.ask("join_conversation", id);
    const refused = await native.ask("subscribe", { table: "labels" });
    assert.equal((refused.data as { code: string }).code, "forbidden");

    await setLabels(server, agent.token, id, [label.id]);
    await post(server, agent.token, id, "Good day");
    assert.deepEqual(await native.event("hidden"), { conversationId: id, seq: 1 });
    await native.event("message", ({ seq }) => seq === 2);
    await topics.event(({ seq }) => seq === 2);
    await io.until("message_received");
    await tables.until(({ table, data }) => table === "conversations" && data["last_seq"] === 2);

    const late = await connect(server, { sessionId });
    const missed = await late.ack("join", { conversationId: id, epoch, seq: 0 });
    assert.deepEqual(missed.events.map(({ type }: { type: string }) => type), [
      "hidden",
      "message",
    ]);
    const snapshot = await late.ack("join", { conversationId: id });
    const get = (path: string) => call(server, "GET", path, { token: sessionId });
    const page = await call<EventPage>(
      server,
      "GET",
      `/api/v1/conversations/${id}/events?sessionId=${sessionId}`,
    );
    const opened = await call(server, "POST", "/api/conversations", { token: sessionId, body: {} });
    const session = await openSession(server, key, sessionId);
    const seen = {
      native: native.received,
      late: late.received,
      snapshot,
      topics: topics.received,
      tables: tables.text(),
      io: io.heard,
      page: page.body,
      opened: opened.body,
      session,
      one: (await get(`/api/conversations/${id}`)).body,
      messages: (await get(`/api/conversations/${id}/messages`)).body,
    };
    for (const [where, what] of Object.entries(seen)) {
      assert.doesNotMatch(JSON.stringify(what), /"labels"|Troublemaker|violet/, where);
    }
    await Promise.all([native.close(), late.close(), topics.close(), tables.close(), io.close()]);
  },
);

onEitherEngine("agents see labels on every protocol that tells them of conversations", async (
  server,
) => {
  const { agent, conversation } = await cast(server);
  const { id } = conversation;
  const { token } = agent;
  const label = await makeLabel(server, token, "VIP", { color: "amber" });
  const topics = await openTopics(server, { token });
  await topics.subscribe(id);
  const io = await connectPeer(server, { token });
  await io.ask("join_conversation", id);
  await setLabels(server, token, id, [label.id]);
  const event = await topics.event((one) => one.event === "conversation_changed");
  assert.deepEqual(event.conversation, { labels: [tagOf(label)] });
  assert.deepEqual([event.messageID, event.message], [null, null]);
  assert.deepEqual((await io.until("conversation_changed")).labels, [tagOf(label)]);
  const { conversation: row } = await io.until("conversation_update");
  assert.deepEqual(row.labels, [tagOf(label)]);
  await Promise.all([topics.close(), io.close()]);
});

onEitherEngine("the list is filtered by label together with everything else, page by page", async (
  server,
) => {
  const { agent, key } = await cast(server);
  const { token } = agent;
  const vip = await makeLabel(server, token, "VIP");
  const bug = await makeLabel(server, token, "Bug");
  const all: string[] = [];
  for (let i = 0; i < 12; i++) {
    const { sessionId } = await openSession(server, key);
    const opened = await call<Conversation>(server, "POST", "/api/conversations", {
      token: sessionId,
      body: {},
    });
    all.push(opened.body.id);
  }
  for (const [i, id] of all.entries()) {
    const labels = [...(i % 2 === 0 ? [vip.id] : []), ...(i % 3 === 0 ? [bug.id] : [])];
    if (labels.length > 0) await setLabels(server, token, id, labels);
    const body = {
      ...(i % 4 === 0 ? { status: "pending" } : {}),
      ...(i >= 6 ? { assigneeId: agent.user.id } : {}),
    };
    if (Object.keys(body).length > 0) {
      await call(server, "PATCH", `/api/conversations/${id}`, { token, body });
    }
  }
  const list = async (query: string) => {
    const found: number[] = [];
    let cursor = "";
    do {
      const path = `/api/conversations?limit=2${query}${cursor && `&cursor=${cursor}`}`;
      const { body } = await call<ConversationList>(server, "GET", path, { token });
      found.push(...body.items.map(({ id }) => all.indexOf(id)));
      cursor = body.nextCursor ?? "";
    } while (cursor !== "");
    return found;
  };
  assert.deepEqual(await list(`&label=${vip.id}`), [10, 8, 6, 4, 2, 0]);
  assert.deepEqual(await list(`&label=${bug.id}&view=mine`), [9, 6]);
  assert.deepEqual(await list(`&label=${vip.id}&view=unassigned&status=pending`), [4, 0]);
  assert.deepEqual(await list(`&label=${vip.id}&status=open`), [10, 6, 2]);
  assert.deepEqual(await list(`&label=${SOMEBODY}`), []);
  const bad = await call(server, "GET", "/api/conversations?label=VIP", { token });
  assert.equal(bad.status, 422);
});

onEitherEngine("a new name and a removal hold for all conversations, and are told at once", async (
  server,
) => {
  const { agent, conversation } = await cast(server);
  const { token } = agent;
  const vip = await makeLabel(server, token, "VIP");
  const bug = await makeLabel(server, token, "Bug");
  await setLabels(server, token, conversation.id, [vip.id, bug.id]);
  const a = await connect(server, { token });
  const { subscription } = await a.ack("subscribe", { table: "labels" });
  const path = `/api/labels/${vip.id}`;
  await call(server, "PATCH", path, { token, body: { name: "Very important" } });
  assert.equal((await change(a, subscription, 1)).data["name"], "Very important");
  const labels = async () =>
    (await call<Conversation>(server, "GET", `/api/conversations/${conversation.id}`, { token }))
      .body.labels!.map(({ name }) => name);
  assert.deepEqual(await labels(), ["Very important", "Bug"]);
  await call(server, "DELETE", path, { token });
  const gone = await change(a, subscription, 2);
  assert.deepEqual([gone.event, gone.data["id"]], ["DELETE", vip.id]);
  assert.deepEqual(await labels(), ["Bug"]);
  const found = await call<ConversationList>(server, "GET", `/api/conversations?label=${vip.id}`, {
    token,
  });
  assert.deepEqual(found.body.items, []);
  await a.close();
});
