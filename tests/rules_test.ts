import assert from "node:assert/strict";
import pg from "pg";
import type { ContextRule, Message } from "../protocol/model.ts";
import type { PublicWidget } from "../protocol/rest.ts";
import { type ContextRuleList, MAX_RULES } from "../protocol/rules.ts";
import { call, cast, login, openSession, post, widgetKey } from "./support/http.ts";
import { onEitherEngine, startServer, type TestServer } from "./support/server.ts";
import { testWith } from "./support/services.ts";
import { connect, type TestSocket } from "./support/socket.ts";

const SITE = "https://shop.example.com";

interface RuleInput {
  name?: string;
  enabled?: boolean;
  globs?: string[];
  keywords?: string[];
  says?: string | string[];
}

function bodyOf({ name = "Rule", enabled, globs, keywords, says = "Hello" }: RuleInput) {
  return {
    name,
    ...(enabled === undefined ? {} : { enabled }),
    conditions: [
      ...(globs === undefined ? [] : [{ kind: "page_url", globs }]),
      ...(keywords === undefined ? [] : [{ kind: "message", keywords }]),
    ],
    actions: [says].flat().map((content) => ({ kind: "bot_message", content })),
  };
}

async function addRule(server: TestServer, token: string, input: RuleInput): Promise<ContextRule> {
  const body = bodyOf(input);
  const answer = await call<ContextRule>(server, "POST", "/api/context-rules", { token, body });
  assert.equal(answer.status, 201, JSON.stringify(answer.body));
  return answer.body;
}

async function said(server: TestServer, token: string, conversationId: string) {
  const path = `/api/conversations/${conversationId}/messages?limit=100`;
  const { body } = await call<{ items: Message[] }>(server, "GET", path, { token });
  return body.items.filter(({ type }) => type === "text")
    .map(({ sender, content }) => `${sender.role}: ${content}`);
}

onEitherEngine(
  "a keyword makes the bot answer, once, as a message like any other",
  async (server) => {
    const { agent, visitor, conversation } = await cast(server);
    const { token } = agent;
    const { sessionId } = visitor;
    await addRule(server, token, { keywords: ["price", "coût"], says: ["From 9 €.", "More?"] });
    const watching = await connect(server, { token });
    await watching.ack("join", { conversationId: conversation.id });
    const own = await connect(server, { sessionId });
    await own.ack("join", { conversationId: conversation.id });

    await own.ack("message", { content: "Priceless!", clientMessageId: "m1" });
    await own.ack("message", { content: "Le COUT ?", clientMessageId: "m2" });
    for (const socket of [watching, own]) {
      await socket.event("message", ({ content }) => content === "More?");
      const seqs = socket.received.filter(({ type }) => type === "message")
        .map(({ data }) => (data as Message).seq);
      assert.deepEqual(seqs, [1, 2, 3, 4]);
    }
    const answer = await own.event("message", ({ content }) => content === "From 9 €.");
    assert.deepEqual(answer.sender, { userId: "bot", userName: "Assistant", role: "bot" });

    // The same again, and a message sent twice: nothing more.
    await own.ack("message", { content: "price?", clientMessageId: "m3" });
    await own.ack("message", { content: "Le COUT ?", clientMessageId: "m2" });
    await server.stop();
    await server.restart();
    await post(server, sessionId, conversation.id, "the price again");
    await server.stop();
    await server.restart();
    assert.deepEqual(await said(server, token, conversation.id), [
      "visitor: Priceless!",
      "visitor: Le COUT ?",
      "bot: From 9 €.",
      "bot: More?",
      "visitor: price?",
      "visitor: the price again",
    ]);
    // Nobody has answered who is a person, so the visitor still waits.
    const path = `/api/conversations/${conversation.id}`;
    const row = await call<{ waitingSince: string | null }>(server, "GET", path, { token });
    assert.notEqual(row.body.waitingSince, null);
  },
  { BOT_NAME: "Assistant" },
);

onEitherEngine(
  "the first rule that fits speaks; off, reordered and removed ones do not",
  async (server) => {
    const { token } = await login(server);
    const key = await widgetKey(server, token);
    const first = await addRule(server, token, { keywords: ["hello"], says: "first" });
    const second = await addRule(server, token, { keywords: ["hello"], says: "second" });
    const third = await addRule(server, token, {
      keywords: ["hello"],
      says: "third",
      enabled: false,
    });
    const order = async (ids: string[]) => {
      const options = { token, body: { ids } };
      const path = "/api/context-rules/order";
      const { status, body } = await call<ContextRuleList>(server, "POST", path, options);
      assert.equal(status, 200);
      return body.items.map(({ id }) => id);
    };
    const path = ({ id }: ContextRule) => `/api/context-rules/${id}`;
    const answers: string[] = [];
    const asked = async (expected: string) => {
      const { sessionId } = await openSession(server, key);
      const own = await connect(server, { sessionId });
      const { message } = await own.ack("message", { content: "Hello", clientMessageId: "m1" });
      await own.ack("join", { conversationId: message.conversationId });
      await until(async () =>
        (await said(server, token, message.conversationId)).includes(`bot: ${expected}`)
      );
      // Rules are asked in the order of messages: when the last has an answer, all have theirs.
      await own.ack("message", { content: "Are you done?", clientMessageId: "m2" });
      await until(async () => (await said(server, token, message.conversationId)).length === 4);
      answers.push((await said(server, token, message.conversationId)).join(", "));
      await own.close();
    };
    await addRule(server, token, { keywords: ["done"], says: "done" });
    await asked("first");
    assert.deepEqual((await order([second.id, third.id])).slice(0, 3), [
      second.id,
      third.id,
      first.id,
    ]);
    await asked("second");
    await call(server, "PATCH", path(third), { token, body: { enabled: true } });
    await order([third.id]);
    await asked("third");
    await call(server, "DELETE", path(third), { token });
    await call(server, "PATCH", path(second), { token, body: { enabled: false } });
    await asked("first");
    assert.deepEqual(answers, [
      "visitor: Hello, bot: first, visitor: Are you done?, bot: done",
      "visitor: Hello, bot: second, visitor: Are you done?, bot: done",
      "visitor: Hello, bot: third, visitor: Are you done?, bot: done",
      "visitor: Hello, bot: first, visitor: Are you done?, bot: done",
    ]);
  },
);

onEitherEngine("a page makes the bot speak first, once in a session", async (server) => {
  const { token } = await login(server);
  const key = await widgetKey(server, token);
  await addRule(server, token, { globs: [`${SITE}/shop/*`], says: "Hi!" });
  await addRule(server, token, { globs: ["/help"], keywords: ["price"], says: "Help is free." });
  const page = async (socket: TestSocket, url: string) => {
    await socket.ack("page", { url, title: "A page" });
  };
  const { sessionId } = await openSession(server, key);
  // Two tabs at the same moment.
  const tabs = [await connect(server, { sessionId }), await connect(server, { sessionId })];
  await page(tabs[0]!, `${SITE}/about`);
  await Promise.all(tabs.map((tab) => page(tab, `${SITE}/shop/pots`)));
  const opened = await Promise.all(tabs.map((tab) => tab.event("conversation_opened")));
  const { conversationId } = opened[0]!;
  await until(async () => (await said(server, token, conversationId)).length > 0);
  await page(tabs[1]!, `${SITE}/shop/bowls?size=2`);
  // A word on the page where it counts, and the same word elsewhere before.
  const write = (content: string, id: string) =>
    tabs[0]!.ack("message", { content, clientMessageId: id });
  await write("price?", "m1");
  await page(tabs[0]!, `${SITE}/help#top`);
  await write("the price?", "m2");
  await until(async () => (await said(server, token, conversationId)).length === 4);
  await server.stop();
  await server.restart();
  assert.deepEqual(await said(server, token, conversationId), [
    "bot: Hi!",
    "visitor: price?",
    "visitor: the price?",
    "bot: Help is free.",
  ]);

  // Another visitor is greeted in a conversation of their own, and unread says so.
  const other = await openSession(server, key);
  const socket = await connect(server, { sessionId: other.sessionId });
  await page(socket, `${SITE}/shop/`);
  const theirs = await socket.event("conversation_opened");
  assert.notEqual(theirs.conversationId, conversationId);
  await until(async () => (await said(server, token, theirs.conversationId)).length === 1);
  const again = await openSession(server, key, other.sessionId);
  assert.deepEqual([again.conversationId, again.unread], [theirs.conversationId, 1]);
  // The widget knows where it has to connect by itself.
  const path = `/api/widgets/${key}`;
  const known = await call<PublicWidget>(server, "GET", path);
  assert.deepEqual(known.body.pages, [`${SITE}/shop/*`]);
});

onEitherEngine(
  "a word counts on the page of who wrote it, not on anybody else's",
  async (server) => {
    const { token } = await login(server);
    const key = await widgetKey(server, token);
    await addRule(server, token, { globs: ["/help"], keywords: ["price"], says: "Help is free." });
    await addRule(server, token, { keywords: ["price"], says: "9 €." });
    const join = async () => {
      const { sessionId } = await openSession(server, key);
      return await connect(server, { sessionId });
    };
    const [elsewhere, reader, shopper] = [await join(), await join(), await join()];
    const visit = (socket: TestSocket, path: string) => socket.ack("page", { url: SITE + path });
    const answerTo = async (socket: TestSocket) => {
      const { message } = await socket.ack("message", { content: "price?", clientMessageId: "m1" });
      const lines = () => said(server, token, message.conversationId);
      await until(async () => (await lines()).length === 2);
      return (await lines())[1];
    };
    // Each time somebody else was the last to come to a page.
    await visit(reader, "/help");
    await visit(shopper, "/shop");
    assert.equal(await answerTo(reader), "bot: Help is free.");
    await visit(reader, "/help");
    assert.equal(await answerTo(shopper), "bot: 9 €.");
    // Who has not said where they are is not on that page either.
    assert.equal(await answerTo(elsewhere), "bot: 9 €.");
    await Promise.all([elsewhere, reader, shopper].map((socket) => socket.close()));
  },
);

onEitherEngine(
  "rules answer visitors only, and are silent while a person talks",
  async (server) => {
    const { agent, visitor, conversation } = await cast(server);
    const { token } = agent;
    const own = await connect(server, { sessionId: visitor.sessionId });
    const { id } = conversation;
    const write = (content: string) => post(server, visitor.sessionId, id, content);
    // What it says would make it speak again, and so would what the agent says.
    await addRule(server, token, { keywords: ["price"], says: "The price is 9 €, hours below." });
    await addRule(server, token, { keywords: ["hours"], says: "9 to 17." });
    await addRule(server, token, { keywords: ["end"], says: "The end." });
    await addRule(server, token, { globs: ["*"], says: "Welcome!" });
    await call(server, "POST", `/api/conversations/${id}/messages`, {
      token,
      body: { content: "About the hours: a note", clientMessageId: "n1", isPrivate: true },
    });
    await write("price?");
    await until(async () => (await said(server, token, id)).length === 3);
    await post(server, token, id, "I am here now. The hours?");
    await write("What are your hours? Is this the end?");
    await own.ack("page", { url: SITE });
    await server.stop();
    assert.deepEqual(server.errors, []);
    await server.restart();
    assert.deepEqual(await said(server, token, id), [
      "agent: About the hours: a note",
      "visitor: price?",
      "bot: The price is 9 €, hours below.",
      "agent: I am here now. The hours?",
      "visitor: What are your hours? Is this the end?",
    ]);
  },
);

onEitherEngine(
  "admins change rules, of the version that they saw, within bounds",
  async (server) => {
    const { agent, visitor } = await cast(server);
    const { token } = agent;
    const grace = { email: "grace@example.com", password: "a quite long password" };
    await call(server, "POST", "/api/users", {
      token,
      body: { ...grace, name: "G", role: "agent" },
    });
    const reader = (await login(server, grace)).token;
    const rule = await addRule(server, token, { keywords: ["a"] });
    const path = `/api/context-rules/${rule.id}`;
    const order = "/api/context-rules/order";
    for (const [who, mayRead] of [[reader, true], [visitor.sessionId, false]] as const) {
      const status = async (method: string, at: string, body?: unknown) =>
        (await call(server, method, at, body === undefined ? { token: who } : { token: who, body }))
          .status;
      assert.equal(await status("GET", "/api/context-rules"), mayRead ? 200 : 403);
      assert.equal(await status("GET", path), mayRead ? 200 : 403);
      assert.equal(await status("POST", "/api/context-rules", bodyOf({ keywords: ["b"] })), 403);
      assert.equal(await status("PATCH", path, { enabled: false }), 403);
      assert.equal(await status("POST", order, { ids: [rule.id] }), 403);
      assert.equal(await status("DELETE", path), 403);
    }

    const ask = (method: string, at: string, body: unknown, ifMatch?: string) =>
      call<{ code: string; fields?: { path: string }[] }>(server, method, at, {
        token,
        ...(body === undefined ? {} : { body }),
        headers: ifMatch === undefined ? {} : { "if-match": ifMatch },
      });
    const read = await ask("GET", path, undefined);
    const seen = read.headers.get("etag")!;
    const changed = await ask("PATCH", path, { name: "B" }, seen);
    assert.equal(changed.status, 200);
    for (const method of ["PATCH", "DELETE"]) {
      const stale = await ask(method, path, method === "PATCH" ? { name: "C" } : undefined, seen);
      assert.deepEqual([stale.status, stale.body.code], [412, "precondition_failed"]);
    }
    // Another order is no other version.
    await ask("POST", order, { ids: [rule.id] });
    const next = changed.headers.get("etag")!;
    assert.equal((await ask("PATCH", path, { name: "C" }, next)).status, 200);

    const bad: [unknown, string][] = [
      [bodyOf({}), "conditions"],
      [bodyOf({ keywords: [] }), "conditions.0.keywords"],
      [bodyOf({ keywords: [" "] }), "conditions.0.keywords.0"],
      [bodyOf({ globs: ["/".repeat(501)] }), "conditions.0.globs.0"],
      [bodyOf({ keywords: ["a"], says: [] }), "actions"],
      [bodyOf({ keywords: ["a"], says: "a".repeat(2001) }), "actions.0.content"],
      [{ ...bodyOf({ keywords: ["a"] }), name: " " }, "name"],
      [{ ...bodyOf({ keywords: ["a"] }), conditions: [{ kind: "weather" }] }, "conditions.0.kind"],
      [{ ...bodyOf({ keywords: ["a"] }), position: 1 }, ""],
    ];
    for (const [body, field] of bad) {
      const answer = await ask("POST", "/api/context-rules", body);
      assert.deepEqual([answer.status, answer.body.fields?.[0]?.path], [422, field]);
    }
    for (const ids of [[], [rule.id, rule.id], ["x"]]) {
      assert.equal((await ask("POST", order, { ids })).status, 422);
    }
    assert.equal((await ask("POST", order, { ids: [crypto.randomUUID()] })).status, 409);
    assert.equal((await ask("PATCH", path, {})).status, 422);
    assert.equal((await ask("DELETE", path, undefined)).status, 204);
    assert.equal((await ask("DELETE", path, undefined)).status, 404);
    for (let i = 0; i < MAX_RULES; i++) await addRule(server, token, { keywords: ["a"] });
    const full = await ask("POST", "/api/context-rules", bodyOf({ keywords: ["a"] }));
    assert.deepEqual([full.status, full.body.code], [409, "conflict"]);
  },
);

testWith(
  ["postgres"],
  "what psql wrote acts when it can be read, and harms nothing else",
  async () => {
    const server = await startServer("postgres");
    const db = new pg.Client({ connectionString: server.env["DATABASE_URL"] });
    try {
      await db.connect();
      const { agent, visitor, conversation } = await cast(server);
      const add = (position: number, conditions: unknown, actions: unknown) =>
        db.query(
          `insert into context_rules (id, name, position, conditions, actions)
          values (gen_random_uuid(), 'by hand', $1, $2, $3)`,
          [position, JSON.stringify(conditions), JSON.stringify(actions)],
        );
      const says = (content: string) => [{ kind: "bot_message", content }];
      const word = { kind: "message", keywords: ["hello"] };
      await add(1, {}, says("no list"));
      await add(2, [], says("no conditions"));
      await add(3, [word, { kind: "weather", is: "fine" }], says("half understood"));
      await add(4, [word], [{ kind: "dance" }]);
      await add(5, [{ kind: "message", keywords: "hello" }], says("no list of words"));
      await add(6, [word], says("understood"));
      const { token } = agent;
      const { id } = conversation;
      await until(async () => {
        const { body } = await call<ContextRuleList>(server, "GET", "/api/context-rules", {
          token,
        });
        if (body.items.length > 0) {
          assert.deepEqual(body.items[2]!.conditions, [word, { kind: "unknown" }]);
          assert.deepEqual(body.items[4]!.conditions, [{ kind: "unknown" }]);
        }
        return body.items.length === 6;
      });
      // Another node's rules, and psql's, are known within a second.
      let sent = 0;
      await until(async () => {
        await post(server, visitor.sessionId, id, `hello ${++sent}`);
        return (await said(server, token, id)).some((line) => line.startsWith("bot"));
      });
      const bots = (await said(server, token, id)).filter((line) => line.startsWith("bot"));
      assert.deepEqual(bots, ["bot: understood"]);
      assert.deepEqual(server.errors, []);
    } finally {
      await db.end();
      await server.close();
    }
  },
);

async function until(fits: () => Promise<boolean>, ms = 5000): Promise<void> {
  const end = Date.now() + ms;
  while (!await fits()) {
    if (Date.now() > end) throw new Error("Waited in vain");
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
