/** Teams: who may read and change them, and the conversations that they have. */
import assert from "node:assert/strict";
import type { Conversation } from "../protocol/model.ts";
import type { ConversationList, MessageList } from "../protocol/rest.ts";
import type { Team, TeamList } from "../protocol/teams.ts";
import { poll } from "./support/deadline.ts";
import { call, cast, login, post } from "./support/http.ts";
import { colleagues, newVisitor } from "./support/notifications.ts";
import { onEitherEngine, type TestServer } from "./support/server.ts";
import { connect } from "./support/socket.ts";

type Failed = { code: string; detail: string; fields: { path: string; message: string }[] };

const make = async (server: TestServer, token: string, body: unknown) =>
  (await call<Team>(server, "POST", "/api/teams", { token, body })).body;

const change = (server: TestServer, token: string, id: string, body: unknown) =>
  call<Conversation & Failed>(server, "PATCH", `/api/conversations/${id}`, { token, body });

onEitherEngine("teams are made, listed, renamed, staffed and deleted", async (server) => {
  const [ada, grace] = await colleagues(server, "Grace");
  const token = ada!.token;
  const sales = await make(server, token, { name: "  Sales  EU ", memberIds: [grace!.id] });
  const { id, createdAt, updatedAt } = sales;
  assert.deepEqual(sales, {
    id,
    name: "Sales EU",
    assignment: "none",
    capacity: null,
    memberIds: [grace!.id],
    createdAt,
    updatedAt,
  });
  await make(server, token, { name: "billing", assignment: "least_busy", capacity: 3 });
  const { body } = await call<TeamList>(server, "GET", "/api/teams", { token: grace!.token });
  assert.deepEqual(body.items.map(({ name }) => name), ["billing", "Sales EU"]);

  const path = `/api/teams/${id}`;
  const patch = (body: unknown, headers = {}) =>
    call<Team & Failed>(server, "PATCH", path, { token, body, headers });
  const etag = (await call(server, "GET", path, { token })).headers.get("etag")!;
  const both = [ada!.id, grace!.id].sort();
  const renamed = await patch({ name: "Sales", memberIds: both }, { "if-match": etag });
  assert.deepEqual([renamed.body.name, renamed.body.memberIds], ["Sales", both]);
  assert.equal((await patch({ name: "Old" }, { "if-match": etag })).status, 412);
  const twice = await call<Failed>(server, "POST", "/api/teams", {
    token,
    body: { name: "SALES" },
  });
  assert.deepEqual([twice.status, twice.body.detail], [
    409,
    'Cannot store the team: there is "Sales" already',
  ]);
  const nobody = "01a1f905-b485-7004-91ff-9a78c06738dd";
  const unknown = await patch({ memberIds: [ada!.id, nobody] });
  assert.deepEqual([unknown.status, unknown.body.fields], [422, [
    { path: "memberIds.1", message: "must be a user's id" },
  ]]);
  for (const body of [{ capacity: 0 }, { assignment: "random" }, { name: " " }, {}]) {
    assert.equal((await patch(body)).status, 422, JSON.stringify(body));
  }
  assert.deepEqual((await call<Team>(server, "GET", path, { token })).body, renamed.body);

  const tries: [string, string, unknown?][] = [
    ["GET", "/api/teams"],
    ["GET", path],
    ["POST", "/api/teams", { name: "Mine" }],
    ["PATCH", path, { name: "Mine" }],
    ["DELETE", path],
  ];
  const { sessionId } = await newVisitor(server, ada!);
  const by = async (who: string) =>
    await Promise.all(
      tries.map(async ([method, to, body]) =>
        (await call(server, method, to, { token: who, body })).status
      ),
    );
  assert.deepEqual(await by(grace!.token), [200, 200, 403, 403, 403]);
  assert.deepEqual(await by(sessionId), [403, 403, 403, 403, 403]);
  assert.equal((await call(server, "DELETE", path, { token })).status, 204);
  assert.equal((await call(server, "GET", path, { token })).status, 404);
});

onEitherEngine("new conversations go to a team, and to who is here", async (server, t) => {
  const [ada, bea, cara] = await colleagues(server, "Bea", "Cara");
  const token = ada!.token;
  const team = await make(server, token, {
    name: "Support",
    assignment: "least_busy",
    capacity: 2,
    memberIds: [bea!.id, cara!.id],
  });
  const settings = (body: unknown) =>
    call<Failed>(server, "PATCH", "/api/queue-settings", { token, body });
  const nobody = "01a1f905-b485-7004-91ff-9a78c06738dd";
  assert.deepEqual((await settings({ teamId: nobody })).body.fields, [
    { path: "teamId", message: "must be a team's id" },
  ]);
  assert.equal((await settings({ handBackAfterMinutes: 0 })).status, 422);
  assert.equal((await settings({ teamId: team.id, handBackAfterMinutes: 30 })).status, 200);

  const write = async () => {
    const { sessionId, conversationId } = await newVisitor(server, ada!);
    await post(server, sessionId, conversationId, "Hello?");
    return conversationId;
  };
  const read = async (id: string) =>
    (await call<Conversation>(server, "GET", `/api/conversations/${id}`, { token })).body;
  const isGiven = (id: string) =>
    poll(() => read(id), ({ assignee }) => assignee !== null, "the assignment");
  const first = await write();

  await t.step("nobody is here: it waits until somebody comes", async () => {
    assert.deepEqual([(await read(first)).teamId, (await read(first)).assignee], [team.id, null]);
    const socket = await connect(server, { token: bea!.token });
    assert.equal((await isGiven(first)).assignee?.userName, "Bea");
    const { notification } = await socket.event(
      "notification",
      (data) => data.notification.kind === "assigned",
    );
    assert.equal(notification.conversationId, first);
    await socket.ack("presence", { status: "away" });
    await socket.close();
  });

  await t.step("who is away gets nothing, and nobody more than the capacity", async () => {
    const away = await connect(server, { token: bea!.token });
    await away.ack("presence", { status: "away" });
    const here = await connect(server, { token: cara!.token });
    const ids = await Promise.all([write(), write(), write()]);
    const given = () => Promise.all(ids.map(read));
    const now = await poll(
      given,
      (all) => all.filter(({ assignee }) => assignee !== null).length === 2,
      "two of three",
    );
    assert.deepEqual(now.flatMap(({ assignee }) => assignee?.userName ?? []), ["Cara", "Cara"]);
    const done = now.find(({ assignee }) => assignee !== null)!;
    await change(server, token, done.id, { status: "resolved" });
    await poll(given, (all) => all.every(({ assignee }) => assignee !== null), "the third");
    const fourth = await write();
    await away.ack("presence", { status: "online" });
    assert.equal((await isGiven(fourth)).assignee?.userName, "Bea");
    await away.close();
    await here.close();
  });

  await t.step("a team that was deleted gets nothing", async () => {
    await call(server, "DELETE", `/api/teams/${team.id}`, { token });
    assert.equal((await read(await write())).teamId, undefined);
  });
});

onEitherEngine(
  "a conversation is given to a team, found by it, and survives it",
  async (server) => {
    const { agent, visitor, conversation: { id } } = await cast(server);
    const { token } = await login(server);
    const sales = await make(server, token, { name: "Sales" });
    const billing = await make(server, token, { name: "Billing" });
    await post(server, visitor.sessionId, id, "Where is my invoice?");
    const socket = await connect(server, { token: agent.token });
    const visitorSocket = await connect(server, { sessionId: visitor.sessionId });
    for (const one of [socket, visitorSocket]) await one.ack("join", { conversationId: id });

    const given = await change(server, token, id, { teamId: sales.id });
    assert.equal(given.body.teamId, sales.id);
    const told = await socket.event("conversation_changed");
    assert.deepEqual(told.team, { id: sales.id, name: "Sales" });
    assert.equal(
      told.message!.content,
      "ada gave the conversation to the team Sales",
    );
    const hidden = await visitorSocket.event("hidden");
    assert.equal(hidden.seq, told.seq);
    const own = await call(server, "GET", `/api/conversations/${id}`, { token: visitor.sessionId });
    assert.equal("teamId" in own.body, false);

    const of = async (team: string) =>
      (await call<ConversationList>(server, "GET", `/api/conversations?team=${team}`, { token }))
        .body.items.map((one) => one.id);
    assert.deepEqual([await of(sales.id), await of(billing.id)], [[id], []]);
    const bulk = { ids: [id], change: { teamId: billing.id } };
    await call(server, "POST", "/api/conversations/bulk", { token, body: bulk });
    assert.deepEqual([await of(sales.id), await of(billing.id)], [[], [id]]);

    const bad = await change(server, token, id, { teamId: id, status: "resolved" });
    assert.deepEqual(bad.body.fields, [{ path: "teamId", message: "must be a team's id" }]);
    assert.equal(bad.status, 422);

    await call(server, "DELETE", `/api/teams/${billing.id}`, { token });
    const after = await call<Conversation>(server, "GET", `/api/conversations/${id}`, { token });
    assert.deepEqual([after.body.teamId, after.body.status], [undefined, "open"]);
    const history = await call<MessageList>(server, "GET", `/api/conversations/${id}/messages`, {
      token,
    });
    assert.deepEqual(history.body.items.slice(-2).map(({ content }) => content), [
      "ada gave the conversation to the team Billing",
      "ada took the conversation out of its team",
    ]);
    await change(server, token, id, { teamId: sales.id });
    await change(server, token, id, { status: "resolved" });
    await call(server, "DELETE", `/api/teams/${sales.id}`, { token });
    assert.deepEqual(await of(sales.id), []);
  },
);
