import assert from "node:assert/strict";
import { ParleyClient, type TableChange, Tables } from "../client/mod.ts";
import { call, cast, login, post } from "./support/http.ts";
import { onEitherEngine, startServer } from "./support/server.ts";
import { testWith } from "./support/services.ts";
import { psql } from "./support/tables.ts";

onEitherEngine("the SDK follows tables, over a restart and each change once", async (server) => {
  const { agent, visitor, conversation } = await cast(server);
  const client = new ParleyClient({
    url: server.url,
    credentials: () => ({ token: agent.token }),
    minDelayMs: 20,
    maxDelayMs: 50,
  });
  const heard: TableChange<{ content: string; seq: number }>[] = [];
  const statuses: string[] = [];
  let wake = () => {};
  const until = async (holds: () => boolean, what: string) => {
    const deadline = Date.now() + 30_000;
    while (!holds()) {
      assert.ok(Date.now() < deadline, `waited for ${what}; got ${JSON.stringify(heard)}`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, 100);
        wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  };
  const tables = new Tables(client);
  // Asked before there is a connection.
  const messages = tables.subscribeToTable<{ content: string; seq: number }>(
    "chat_messages",
    (change) => {
      heard.push(change);
      wake();
    },
    ["INSERT"],
    `conversation_id=${conversation.id}`,
    { onGap: () => assert.fail("nothing is lost") },
  );
  const listed = tables.subscribeToTable<{ status: string }>(
    "conversations",
    ({ data }) => statuses.push(data.status),
    ["UPDATE"],
    'status="resolved"',
  );
  await client.connect();
  await Promise.all([messages.ready, listed.ready]);
  await post(server, visitor.sessionId, conversation.id, "one");
  await until(() => heard.length === 1, "one");

  await server.stop();
  await server.restart();
  // Before the client is back: this is missed, and then made good.
  await post(server, visitor.sessionId, conversation.id, "two");
  await until(() => heard.length === 2, "two");
  await post(server, visitor.sessionId, conversation.id, "three");
  await until(() => heard.length === 3, "three");
  await call(server, "PATCH", `/api/conversations/${conversation.id}`, {
    token: agent.token,
    body: { status: "resolved" },
  });
  await until(() => heard.length === 4 && statuses.length === 1, "the status");
  assert.deepEqual(heard.map(({ data }) => data.content), [
    "one",
    "two",
    "three",
    "ada resolved the conversation",
  ]);

  // Two that ask for the same share it, and end one by one.
  const twice: string[] = [];
  const same = tables.subscribeToTable<{ content: string }>(
    "chat_messages",
    ({ data }) => {
      twice.push(data.content);
      wake();
    },
    ["INSERT"],
    `conversation_id=${conversation.id}`,
  );
  await same.ready;
  messages.unsubscribe();
  messages.unsubscribe();
  await post(server, agent.token, conversation.id, "four");
  await until(() => twice.length === 1, "four");
  assert.equal(heard.length, 4);
  same.unsubscribe();
  const third = tables.subscribeToTable("chat_messages", () => {}, ["INSERT"], "nope=1");
  await assert.rejects(third.ready, { code: "invalid" });

  // Deleted at the server, refused at once.
  const visitorClient = new ParleyClient({
    url: server.url,
    credentials: () => ({ sessionId: visitor.sessionId }),
  });
  const own = new Tables(visitorClient);
  const ends: string[] = [];
  const refused = own.subscribeToTable("context_rules", () => {}, ["INSERT"], "", {
    onEnd: ({ code }) => ends.push(code),
  });
  const sessions: unknown[] = [];
  const replies: string[] = [];
  const mine = own.subscribeToChatMessages<{ content: string }>(
    visitor.sessionId,
    ({ data }) => {
      replies.push(data.content);
      wake();
    },
  );
  const session = own.subscribeToChatSession(visitor.sessionId, (change) => {
    sessions.push(change.data["page_url"]);
    wake();
  });
  await visitorClient.connect();
  await assert.rejects(refused.ready, { code: "forbidden" });
  assert.deepEqual(ends, ["forbidden"]);
  await Promise.all([mine.ready, session.ready]);
  await post(server, agent.token, conversation.id, "an answer");
  await visitorClient.request("page", { url: "https://example.com/a" });
  await until(() => replies.length === 1 && sessions.length === 1, "the visitor's");
  assert.deepEqual([replies, sessions], [["an answer"], ["https://example.com/a"]]);
  client.close();
  visitorClient.close();
});

onEitherEngine("the SDK says when it missed more than can be told, and goes on", async (server) => {
  const { agent, visitor, conversation } = await cast(server);
  const credentials = () => ({ token: agent.token });
  const client = new ParleyClient({ url: server.url, credentials });
  const tables = new Tables(client);
  const gap = Promise.withResolvers<void>();
  const last = Promise.withResolvers<void>();
  const heard: string[] = [];
  const messages = tables.subscribeToTable<{ content: string }>(
    "chat_messages",
    ({ data }) => {
      heard.push(data.content);
      if (data.content === "five") last.resolve();
    },
    ["INSERT"],
    "",
    { onGap: () => gap.resolve() },
  );
  await client.connect();
  await messages.ready;
  client.close();
  for (const content of ["one", "two", "three", "four"]) {
    await post(server, visitor.sessionId, conversation.id, content);
  }
  await client.connect();
  await gap.promise;
  await post(server, visitor.sessionId, conversation.id, "five");
  await last.promise;
  assert.deepEqual(heard, ["five"]);
  client.close();
}, { MAX_REPLAY_EVENTS: "3" });

testWith(
  ["postgres"],
  "rules, widgets and notifications, changed by psql, in the SDK",
  async () => {
    const server = await startServer("postgres");
    const own = await psql(server);
    const client = new ParleyClient({
      url: server.url,
      credentials: async () => ({ token: (await login(server)).token }),
    });
    try {
      await client.connect();
      const { userId } = client.identity!;
      const tables = new Tables(client);
      const heard: unknown[] = [];
      const done = Promise.withResolvers<void>();
      const rules = tables.subscribeToContextRules<{ name: string }>(
        ({ eventType, new: after, old }) => heard.push([eventType, (after ?? old)!.name]),
      );
      const widgets = tables.subscribeToWidgetConfigs<{ name: string }>(
        userId,
        ({ eventType, data }) => heard.push([eventType, data.name]),
      );
      const stop = tables.subscribeToNotifications<{ title: string; user_id: string }>(
        userId,
        (notification) => {
          heard.push(["notification", notification.title]);
          done.resolve();
        },
      );
      await Promise.all([rules.ready, widgets.ready]);
      // Commands are answered in order: the notifications flow as well.
      await client.request("ping", {});
      await own.query(`
      insert into context_rules (id, name) values (gen_random_uuid(), 'Pricing');
      update context_rules set name = 'Prices';
      delete from context_rules;
      insert into widget_configs (id, user_id, name, widget_key, secret)
        values (gen_random_uuid(), '${userId}', 'Mine', 'k1', 's1');
      insert into widget_configs (id, user_id, name, widget_key, secret)
        values (gen_random_uuid(), null, 'Nobodys', 'k2', 's2');
      insert into users (id, email, name, password_hash, role)
        values ('00000000-0000-4000-8000-000000000001', 'o@b.c', 'O', 'x', 'agent');
      insert into notifications (id, user_id, kind, title) values
        (gen_random_uuid(), '00000000-0000-4000-8000-000000000001', 'k', 'for another'),
        (gen_random_uuid(), '${userId}', 'k', 'for me');`);
      await done.promise;
      assert.deepEqual(heard, [
        ["INSERT", "Pricing"],
        ["UPDATE", "Prices"],
        ["DELETE", "Prices"],
        ["INSERT", "Mine"],
        ["notification", "for me"],
      ]);
      stop();
      assert.equal(tables.subscribeToNotifications("", () => {})(), undefined);
    } finally {
      client.close();
      await own.end();
      await server.close();
    }
  },
);
