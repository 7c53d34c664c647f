/** Agents who leave or are absent: their conversations reach somebody. */
import assert from "node:assert/strict";
import pg from "pg";
import { openDatabase } from "../db/database.ts";
import type { Conversation, Notification } from "../protocol/model.ts";
import type { UpdatedUser } from "../protocol/rest.ts";
import { call, login, post } from "./support/http.ts";
import {
  assign,
  type Colleague,
  colleagues,
  newVisitor,
  told,
  untilTold,
} from "./support/notifications.ts";
import { onNodes } from "./support/nodes.ts";
import { onEitherEngine, startServer, type TestServer } from "./support/server.ts";
import { testWith } from "./support/services.ts";
import { connect } from "./support/socket.ts";

const ENV = { LIMIT_LOGINS_PER_MINUTE: "1000", LIMIT_SESSIONS_PER_MINUTE: "1000" };

async function conversation(server: TestServer, by: Colleague, id: string): Promise<Conversation> {
  const path = `/api/conversations/${id}`;
  return (await call<Conversation>(server, "GET", path, { token: by.token })).body;
}

/** A visitor whose conversation is assigned to somebody, in this status. */
async function given(server: TestServer, by: Colleague, to: Colleague, status = "open") {
  const visitor = await newVisitor(server, by);
  await assign(server, by, visitor.conversationId, to);
  if (status !== "open") {
    const path = `/api/conversations/${visitor.conversationId}`;
    const { status: code } = await call(server, "PATCH", path, {
      token: by.token,
      body: { status },
    });
    assert.equal(code, 200);
  }
  return visitor;
}

function disable(server: TestServer, by: Colleague, who: Colleague, body = {}) {
  return call<UpdatedUser>(server, "PATCH", `/api/users/${who.id}`, {
    token: by.token,
    body: { disabled: true, ...body },
  });
}

onEitherEngine("who is switched off hands over, to somebody or to nobody", async (server, t) => {
  const [ada, bea, cara, dan] = await colleagues(server, "Bea", "Cara", "Dan") as [
    Colleague,
    Colleague,
    Colleague,
    Colleague,
  ];
  const open = await given(server, ada, bea);
  const pending = await given(server, ada, bea, "pending");
  const resolved = await given(server, ada, bea, "resolved");
  const snoozed = await given(server, ada, bea, "snoozed");
  const adas = await given(server, ada, ada);

  await t.step("the workload says how many there are", async () => {
    const path = `/api/users/${bea.id}/workload`;
    const { body } = await call(server, "GET", path, { token: ada.token });
    assert.deepEqual(body, { open: 1, pending: 1, snoozed: 1 });
    const nobody = `/api/users/${crypto.randomUUID()}/workload`;
    assert.equal((await call(server, "GET", nobody, { token: ada.token })).status, 404);
    assert.equal((await call(server, "GET", path, { token: open.sessionId })).status, 403);
  });

  await t.step("a bad receiver is refused and nothing is changed", async () => {
    for (const handOverTo of [bea.id, crypto.randomUUID(), "cara", 5]) {
      const { status, body } = await disable(server, ada, bea, { handOverTo });
      assert.equal(status, 422, String(handOverTo));
      assert.match(JSON.stringify(body), /handOverTo/);
    }
    for (const body of [{ handOverTo: cara.id }, { disabled: false, handOverTo: cara.id }]) {
      const path = `/api/users/${bea.id}`;
      assert.equal((await call(server, "PATCH", path, { token: ada.token, body })).status, 422);
    }
    assert.equal((await disable(server, cara, bea)).status, 403);
    const { body } = await call(server, "GET", `/api/users/${bea.id}`, { token: ada.token });
    assert.equal(body["disabledAt"], null);
  });

  await t.step("to a colleague, who is told, and everybody sees it in the log", async () => {
    const socket = await connect(server, { token: cara.token });
    await socket.ack("join", { conversationId: open.conversationId });
    const { status, body } = await disable(server, ada, bea, { handOverTo: cara.id });
    assert.equal(status, 200);
    assert.deepEqual(body.handOver, { assigned: 3, unassigned: 0 });
    const changed = await socket.event(
      "conversation_changed",
      (data) => data.assignee?.userId === cara.id,
    );
    assert.equal(changed.actor.userId, ada.id);
    for (const { conversationId } of [open, pending, snoozed]) {
      assert.equal((await conversation(server, ada, conversationId)).assignee?.userId, cara.id);
    }
    const kept = await conversation(server, ada, resolved.conversationId);
    assert.equal(kept.assignee?.userId, bea.id);
    assert.equal((await conversation(server, ada, adas.conversationId)).assignee?.userId, ada.id);
    await untilTold(
      server,
      cara,
      ({ items }) => items.filter(({ kind }) => kind === "assigned").length === 3,
    );
    // Again is the same.
    const again = await disable(server, ada, bea, { handOverTo: dan.id });
    assert.deepEqual(again.body.handOver, { assigned: 0, unassigned: 0 });
    await socket.close();
  });

  await t.step("nobody, unless somebody is named", async () => {
    assert.deepEqual((await disable(server, ada, cara)).body.handOver, {
      assigned: 0,
      unassigned: 3,
    });
    assert.equal((await conversation(server, ada, open.conversationId)).assignee, null);
    await assign(server, ada, open.conversationId, dan);
    const path = (query: string) => `/api/users/${dan.id}${query}`;
    const token = ada.token;
    assert.equal((await call(server, "DELETE", path("?handOverTo=dan"), { token })).status, 422);
    assert.equal(
      (await call(server, "DELETE", path(`?handOverTo=${ada.id}`), { token })).status,
      204,
    );
    assert.equal((await conversation(server, ada, open.conversationId)).assignee?.userId, ada.id);
  });

  await t.step("a resolved one that goes on is nobody's, and the team is told", async () => {
    const { sessionId, conversationId } = resolved;
    await post(server, sessionId, conversationId, "One more thing");
    const { status, assignee } = await conversation(server, ada, conversationId);
    assert.deepEqual([status, assignee], ["open", null]);
    const list = await untilTold(
      server,
      ada,
      ({ items }) => items.some((item) => item.conversationId === conversationId),
    );
    assert.deepEqual(
      list.items.filter((item) => item.conversationId === conversationId)
        .map(({ kind }) => kind),
      ["new_conversation"],
    );
  });

  await t.step("nor is one that an agent opens again", async () => {
    const erin = (await colleagues(server, "Erin"))[1]!;
    const { conversationId } = await given(server, ada, erin, "resolved");
    await disable(server, ada, erin);
    assert.equal((await conversation(server, ada, conversationId)).assignee?.userId, erin.id);
    const path = `/api/conversations/${conversationId}`;
    const { body } = await call<Conversation>(server, "PATCH", path, {
      token: ada.token,
      body: { status: "open" },
    });
    assert.equal(body.assignee, null);
  });

  await t.step("what was left before this version is found at the start", async () => {
    const finn = (await colleagues(server, "Finn"))[1]!;
    const left = await given(server, ada, finn, "pending");
    const old = await given(server, ada, finn, "resolved");
    await server.stop();
    const database = await openDatabase({
      url: server.env["DATABASE_URL"],
      dataDir: server.env["DATA_DIR"]!,
      pool: 1,
    });
    await database.db.updateTable("users").set({ disabled_at: new Date() })
      .where("id", "=", finn.id).execute();
    await database.close();
    await server.restart();
    const { token } = await login(server);
    const again = { ...ada, token };
    const deadline = Date.now() + 20_000;
    while ((await conversation(server, again, left.conversationId)).assignee !== null) {
      assert.ok(Date.now() < deadline, "Waited for the conversation to be unassigned");
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    const page = await call<{ items: { content: string }[] }>(
      server,
      "GET",
      `/api/conversations/${left.conversationId}/messages`,
      { token },
    );
    assert.match(page.body.items.at(-1)!.content, /removed the assignment/);
    const kept = await conversation(server, again, old.conversationId);
    assert.equal(kept.assignee?.userId, finn.id);
  });
}, ENV);

testWith(["postgres"], "a thousand conversations, also while the receiver leaves", async () => {
  const server = await startServer("postgres", ENV);
  const client = new pg.Client({ connectionString: server.env["DATABASE_URL"] });
  await client.connect();
  try {
    const [ada, bea, cara] = await colleagues(server, "Bea", "Cara") as [
      Colleague,
      Colleague,
      Colleague,
    ];
    await client.query(
      `with people as (
      insert into contacts (id, name) select gen_random_uuid(), 'Visitor ' || n
      from generate_series(1, 1000) n returning id)
      insert into conversations (id, contact_id, assignee_id)
      select gen_random_uuid(), id, $1 from people`,
      [bea.id],
    );
    const [first, second] = await Promise.all([
      disable(server, ada, bea, { handOverTo: cara.id }),
      disable(server, ada, cara),
    ]);
    // Cara was switched off before Bea, during, or after: nobody has any in the end.
    assert.equal(second.status, 200);
    if (first.status !== 200) {
      // Before: the request was refused, and changed nothing.
      assert.equal(first.status, 422);
      assert.equal((await disable(server, ada, bea)).status, 200);
    }
    const { rows: [left] } = await client.query(
      `select count(*)::int as n from conversations where assignee_id is not null`,
    );
    assert.equal(left.n, 0, JSON.stringify([first.body, second.body]));
    const { rows: [logged] } = await client.query(
      `select count(distinct conversation_id)::int as n from conversation_events
       where type = 'conversation_changed'`,
    );
    assert.equal(logged.n, 1000);
    if (first.status === 200) {
      const { assigned, unassigned } = first.body.handOver!;
      assert.ok(assigned + unassigned >= 1000);
    }
    assert.deepEqual(server.errors, []);
  } finally {
    await client.end();
    await server.close();
  }
});

onEitherEngine("a message to somebody who is absent is told to the team, once", async (server) => {
  const [ada, bea, cara, dan] = await colleagues(server, "Bea", "Cara", "Dan") as [
    Colleague,
    Colleague,
    Colleague,
    Colleague,
  ];
  const path = "/api/notification-preferences";
  await call(server, "PATCH", path, { token: dan.token, body: { waiting: { bell: false } } });
  const socket = await connect(server, { token: bea.token });
  const beas = await given(server, ada, bea);
  const caras = await given(server, ada, cara);
  const waits = (items: Notification[], id: string) =>
    items.filter((item) => item.kind === "waiting" && item.conversationId === id);

  await post(server, beas.sessionId, beas.conversationId, "Bea?");
  await post(server, caras.sessionId, caras.conversationId, "Cara?");
  const first = await untilTold(
    server,
    ada,
    ({ items }) => waits(items, caras.conversationId).length > 0,
  );
  assert.equal(
    waits(first.items, caras.conversationId)[0]!.title,
    `${caras.name} waits for Cara, who is offline`,
  );
  // Bea is there.
  assert.equal(waits(first.items, beas.conversationId).length, 0);

  await socket.ack("presence", { status: "away" });
  const second = await untilTold(
    server,
    ada,
    ({ items }) => waits(items, beas.conversationId).length > 0,
  );
  assert.equal(
    waits(second.items, beas.conversationId)[0]!.title,
    `${beas.name} waits for Bea, who is away`,
  );
  // More of the same wait is not told again; another wait is.
  await post(server, caras.sessionId, caras.conversationId, "Hello?");
  await post(server, ada.token, beas.conversationId, "Bea is out, how can I help?");
  await post(server, beas.sessionId, beas.conversationId, "Thanks, like this");
  await untilTold(server, ada, ({ items }) => waits(items, beas.conversationId).length === 2);
  const { items } = await told(server, ada);
  assert.equal(waits(items, caras.conversationId).length, 1);
  assert.equal((await told(server, dan)).items.filter(({ kind }) => kind === "waiting").length, 0);
  await socket.close();
}, { ...ENV, ABSENT_AFTER_MS: "400", WAITING_ALERT_MS: "0", PRESENCE_GRACE_MS: "0" });

onEitherEngine("who was told to wait is told to the team when nobody has it", async (server) => {
  const [ada, bea] = await colleagues(server, "Bea") as [Colleague, Colleague];
  const socket = await connect(server, { token: bea.token });
  const { sessionId, conversationId } = await given(server, ada, bea);
  await post(server, sessionId, conversationId, "Anybody?");
  const isWaiting = ({ kind }: Notification) => kind === "waiting";
  await untilTold(server, bea, ({ items }) => items.some(isWaiting));
  assert.equal((await told(server, ada)).items.some(isWaiting), false);
  await disable(server, ada, bea);
  await untilTold(server, ada, ({ items }) => items.some(isWaiting));
  await socket.close();
}, { ...ENV, ABSENT_AFTER_MS: "0", WAITING_ALERT_MS: "400" });

onNodes("an assignee who is there on another node is not absent", async (nodes) => {
  const [here, there] = nodes;
  const [ada, bea, cara] = await colleagues(here, "Bea", "Cara") as [
    Colleague,
    Colleague,
    Colleague,
  ];
  const socket = await connect(there, { token: bea.token });
  const beas = await given(here, ada, bea);
  const caras = await given(here, ada, cara);
  await post(here, beas.sessionId, beas.conversationId, "Bea?");
  await post(here, caras.sessionId, caras.conversationId, "Cara?");
  const of = ({ items }: { items: Notification[] }, id: string) =>
    items.filter((item) => item.kind === "waiting" && item.conversationId === id).length;
  const first = await untilTold(here, ada, (list) => of(list, caras.conversationId) === 1);
  assert.equal(of(first, beas.conversationId), 0);
  await socket.close();
  await untilTold(there, ada, (list) => of(list, beas.conversationId) === 1);
  // Both nodes look; each wait is told once.
  assert.equal(of(await told(here, ada), caras.conversationId), 1);
}, { ...ENV, ABSENT_AFTER_MS: "600", WAITING_ALERT_MS: "0", PRESENCE_GRACE_MS: "0" });
