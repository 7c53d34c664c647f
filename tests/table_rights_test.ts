import assert from "node:assert/strict";
import { TABLES } from "../protocol/tables.ts";
import { CATALOGUE } from "../domain/tables/catalogue.ts";
import { hashSecret } from "../domain/secrets.ts";
import { call, post } from "./support/http.ts";
import { onEitherEngine, startServer } from "./support/server.ts";
import { testWith } from "./support/services.ts";
import {
  type Change,
  chatJson,
  type Follower,
  frames,
  native,
  type Who,
} from "./support/followers.ts";
import { connect, type TestSocket } from "./support/socket.ts";
import { change, changesOf, message, people, psql } from "./support/tables.ts";

testWith(["postgres"], "every table, for everybody, on every protocol", async () => {
  const server = await startServer("postgres");
  const own = await psql(server);
  try {
    const { admin, grace, visitor, other, conversation, otherConversation } = await people(server);
    const A = conversation.id;
    const B = otherConversation.id;
    const all = ["chat_messages", "chat_sessions", "conversations"];
    const agents = [
      "message A public",
      "message A note",
      "message B public",
      "session A",
      "session B",
      "conversation A",
      "conversation B",
      "rule",
      "widget",
      "label",
    ];
    const cases: [string, Who | null, string[]][] = [
      ["the admin", { token: admin.token }, [...agents, "for ada"]],
      ["an agent", { token: grace.token }, [...agents, "for grace"]],
      ["visitor A", { sessionId: visitor.sessionId }, [
        "message A public",
        "session A",
        "conversation A",
      ]],
      ["visitor B", { sessionId: other.sessionId }, [
        "message B public",
        "session B",
        "conversation B",
      ]],
      ["nobody", null, []],
    ];
    const followers: { name: string; who: Who | null; seen: string[]; follower: Follower }[] = [];
    for (const [name, who, seen] of cases) {
      for (const [protocol, open] of [["native", native], ["chat JSON", chatJson]] as const) {
        const follower = await open(server, who);
        followers.push({ name: `${name}, ${protocol}`, who, seen, follower });
      }
    }
    // Protocols that have no place for changes of tables.
    const elsewhere = await Promise.all([
      frames(server, `/api/v1/ws?token=${admin.token}`, {
        type: "subscription",
        action: "subscribe",
        topic: "conversationEvent",
        resourceID: A,
      }, "subscription"),
      frames(
        server,
        "/api/chat/ws",
        { type: "auth", token: admin.token, contextId: A },
        "authenticated",
      ),
    ]);

    await own.query(`
      ${message(A, 1, "A public")} ${message(A, 2, "A note", true)} ${message(B, 1, "B public")}
      update chat_sessions set page_title = 'A' where contact_id = '${visitor.contact.id}';
      update chat_sessions set page_title = 'B' where contact_id = '${other.contact.id}';
      update conversations set waiting_since = now(), last_message_preview = 'NOTE',
        last_message_private = true;
      insert into context_rules (id, name) values (gen_random_uuid(), 'rule');
      insert into labels (id, name, color) values (gen_random_uuid(), 'label', 'red');
      insert into widget_configs (id, name, widget_key, secret)
        values (gen_random_uuid(), 'widget', 'key', 'WIDGET SECRET');
      insert into notifications (id, user_id, kind, title) values
        (gen_random_uuid(), '${admin.user.id}', 'k', 'for ada'),
        (gen_random_uuid(), '${grace.user.id}', 'k', 'for grace');`);
    await own.query(`${message(A, 3, "end")} ${message(B, 2, "end")}`);

    const label = ({ table, data }: Change): string => {
      const contact = (data["contact_id"] ?? "") === visitor.contact.id ? "A" : "B";
      switch (table) {
        case "chat_messages":
          return `message ${data["content"]}`;
        case "chat_sessions":
          return `session ${data["page_title"]}`;
        case "conversations":
          return `conversation ${contact}`;
        default:
          return String(data["name"] ?? data["title"]);
      }
    };
    const secrets = [
      "WIDGET SECRET",
      visitor.sessionId,
      other.sessionId,
      await hashSecret(visitor.sessionId),
      await hashSecret(other.sessionId),
    ];
    for (const { name, who, seen, follower } of followers) {
      const isVisitor = who !== null && "sessionId" in who;
      if (who !== null) {
        const ends = isVisitor ? 1 : 2;
        await follower.until(() =>
          follower.changes().filter(({ data }) => data["content"] === "end").length === ends
        );
      }
      const heard = follower.changes().map(label).filter((one) => one !== "message end");
      assert.deepEqual(heard.sort(), seen.toSorted(), name);
      for (const table of TABLES) {
        const allowed = who !== null && (!isVisitor || all.includes(table));
        const expected = allowed ? "ok" : who === null ? "unauthenticated" : "forbidden";
        if (follower.answers !== null) assert.equal(follower.answers[table], expected, name);
      }
      for (const { table, data, new: after, old } of follower.changes()) {
        const policy = CATALOGUE[table][isVisitor ? "visitors" : "agents"]!;
        for (const row of [data, after, old]) {
          if (row !== null) assert.deepEqual(Object.keys(row).sort(), policy.columns.toSorted());
        }
      }
      const text = follower.text();
      // On chat JSON a visitor's rows name the session as they know it; on no other, and no other's.
      const own = isVisitor && follower.answers === null ? who.sessionId : null;
      for (const secret of secrets) {
        if (secret !== own) assert.ok(!text.includes(secret), `${name}: ${secret}`);
      }
      if (isVisitor) assert.ok(!/A note|NOTE/.test(text), name);
    }
    for (const { text } of elsewhere) assert.ok(!/database_change|"old"/.test(text()));
    for (const { follower } of followers) await follower.close();
    for (const { close } of elsewhere) await close();
    assert.deepEqual(server.errors, []);
  } finally {
    await own.end();
    await server.close();
  }
});

onEitherEngine("a visitor sees their own rows, and asks for others' in vain", async (server) => {
  const { admin, grace, visitor, other, conversation, otherConversation } = await people(server);
  const v = await connect(server, { sessionId: visitor.sessionId });
  const a = await connect(server, { token: admin.token });
  // Pages are stored of contacts who wrote.
  await post(server, other.sessionId, otherConversation.id, "Hello");
  const sessions = await a.ack("subscribe", { table: "chat_sessions" });
  const o = await connect(server, { sessionId: other.sessionId });
  await o.ack("page", { url: "https://example.com/other" });
  const publicId = (await change(a, sessions.subscription, 1)).data["id"] as string;

  const refused: [TestSocket, string, string][] = [
    [v, "chat_messages", `session_id=${other.sessionId}`],
    [v, "chat_messages", `session_id=${publicId}`],
    [v, "chat_sessions", `session_id=${publicId}`],
    [v, "chat_sessions", `id=${publicId}`],
    [v, "chat_messages", `contact_id=${other.contact.id}`],
    [v, "conversations", `contact_id=${other.contact.id}`],
    [a, "notifications", `user_id=${grace.user.id}`],
  ];
  for (const [socket, table, filter] of refused) {
    const answer = await socket.ask("subscribe", { table, filter });
    assert.equal((answer.data as { code: string }).code, "forbidden", `${table} ${filter}`);
  }
  // Columns that a visitor does not see cannot be tried out either.
  for (
    const [table, filter] of [
      ["chat_messages", "is_private=true"],
      ["conversations", "last_message_preview=x"],
      ["chat_sessions", "secret=x"],
    ] as const
  ) {
    const answer = await v.ask("subscribe", { table, filter });
    assert.equal((answer.data as { code: string }).code, "invalid", filter);
  }
  const mine = await v.ack("subscribe", {
    table: "chat_messages",
    filter: `session_id=${visitor.sessionId}`,
  });
  const named = await v.ack("subscribe", {
    table: "chat_messages",
    filter: `conversation_id=${otherConversation.id}`,
  });
  await post(server, admin.token, otherConversation.id, "for the other");
  await call(server, "POST", `/api/conversations/${conversation.id}/messages`, {
    token: admin.token,
    body: { content: "a note", clientMessageId: "n", isPrivate: true },
  });
  await post(server, admin.token, conversation.id, "for me");
  const first = await change(v, mine.subscription, 1);
  assert.equal(first.data["content"], "for me");
  const late = await connect(server, { sessionId: visitor.sessionId });
  const missed = await late.ack("subscribe", { table: "chat_messages", after: mine.position });
  assert.deepEqual(
    missed.changes.map(({ data }: { data: { content: string } }) => data.content),
    ["for me"],
  );
  assert.deepEqual(changesOf(v, named.subscription), []);
  for (const socket of [v, a, o, late]) await socket.close();
});

testWith(["postgres"], "rows come into sight and leave it, also what was missed", async () => {
  const server = await startServer("postgres");
  const own = await psql(server);
  try {
    const { admin, visitor, other, conversation } = await people(server);
    const v = await connect(server, { sessionId: visitor.sessionId });
    const o = await connect(server, { sessionId: other.sessionId });
    const a = await connect(server, { token: admin.token });
    const mine = await v.ack("subscribe", { table: "chat_messages" });
    const conversations = await v.ack("subscribe", { table: "conversations" });
    const theirs = await o.ack("subscribe", { table: "conversations" });
    const agents = await a.ack("subscribe", { table: "chat_messages" });

    await own.query(message(conversation.id, 1, "a note", true));
    await own.query("update chat_messages set content = 'a secret note'");
    await own.query("update chat_messages set is_private = false, content = 'no secret'");
    await own.query("update chat_messages set content = 'still none'");
    await own.query("update chat_messages set is_private = true");
    // Nothing of it is the visitor's to see.
    await own.query("update chat_messages set content = 'secret again', inbound_count = 5");
    await own.query("update chat_messages set is_private = false, content = 'end'");
    await change(v, mine.subscription, 4);
    const told = changesOf(v, mine.subscription);
    assert.deepEqual(
      told.map(({ event, old, new: after }) => [
        event,
        old?.["content"],
        after?.["content"],
      ]),
      [
        ["INSERT", undefined, "no secret"],
        ["UPDATE", "no secret", "still none"],
        ["DELETE", "still none", undefined],
        ["INSERT", undefined, "end"],
      ],
    );
    assert.equal((await change(a, agents.subscription, 7)).event, "UPDATE");
    // Told to agents, but none of it in a visitor's columns.
    await own.query("update chat_messages set inbound_count = 6");
    await own.query("update conversations set last_message_preview = 'x', snoozed_until = now()");

    // It becomes another visitor's conversation.
    await own.query(`delete from conversations where contact_id = '${other.contact.id}'`);
    await own.query(`update conversations set contact_id = '${other.contact.id}'`);
    assert.equal((await change(v, conversations.subscription, 1)).event, "DELETE");
    await change(o, theirs.subscription, 2);
    assert.deepEqual(
      changesOf(o).map(({ event, data }) => [event, data["id"] === conversation.id]),
      [
        ["DELETE", false],
        ["INSERT", true],
      ],
    );
    await own.query("update chat_messages set content = 'not yours'");
    await change(a, agents.subscription, 9);
    assert.equal(changesOf(v, mine.subscription).length, 4);

    // A note by now is not told to who was away, although it was public at the time.
    await own.query(`update conversations set contact_id = '${visitor.contact.id}'`);
    await own.query(message(conversation.id, 2, "taken back"));
    const taken = await change(v, mine.subscription, 5);
    assert.equal(taken.data["content"], "taken back");
    await own.query("update chat_messages set is_private = true where seq = 2");
    const late = await connect(server, { sessionId: visitor.sessionId });
    const missed = await late.ack("subscribe", { table: "chat_messages", after: told[3]!.id });
    assert.ok(!JSON.stringify(missed).includes("taken back"));
    assert.ok(!JSON.stringify(missed).includes("not yours"));
    for (const socket of [v, o, a, late]) await socket.close();
  } finally {
    await own.end();
    await server.close();
  }
});

onEitherEngine("chat JSON: a change has every field, and a deletion the id", async (server) => {
  const { admin, visitor, conversation } = await people(server);
  const v = await chatJson(server, { sessionId: visitor.sessionId });
  const a = await chatJson(server, { token: admin.token });
  const widget = await call<{ id: string }>(server, "POST", "/api/widget-configs", {
    token: admin.token,
    body: { name: "Shop" },
  });
  const { id } = widget.body;
  await call(server, "PATCH", `/api/widget-configs/${id}`, {
    token: admin.token,
    body: { name: "Shop 2" },
  });
  await call(server, "DELETE", `/api/widget-configs/${id}`, { token: admin.token });
  await post(server, visitor.sessionId, conversation.id, "Hello");
  for (const follower of [v, a]) {
    await follower.until(({ table }) => table === "chat_messages");
    assert.deepEqual(Object.keys(follower.changes()[0]!).sort(), [
      "data",
      "event",
      "eventType",
      "id",
      "new",
      "old",
      "table",
      "timestamp",
      "type",
    ]);
  }
  const widgets = a.changes().filter(({ table }) => table === "widget_configs");
  assert.deepEqual(
    widgets.map(({ event, data, new: after, old }) => [event, data["name"], after, old?.["name"]])
      .map(([event, name, after, old]) => [event, name, (after as { id: string }).id, old]),
    [
      ["INSERT", "Shop", id, undefined],
      ["UPDATE", "Shop 2", id, "Shop"],
      ["DELETE", "Shop 2", id, "Shop 2"],
    ],
  );
  assert.deepEqual(widgets[2]!.new, { id });
  // In the order of commits, whatever the table.
  const places = (a.changes() as unknown as { id: string }[])
    .map(({ id }) => Number(id.split("-")[1]));
  assert.deepEqual(places, places.toSorted((x, y) => x - y));
  await v.close();
  await a.close();
});
