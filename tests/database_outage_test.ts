/**
 * A database that drops its connections, is away, or does not answer: sockets stay, whoever asks is
 * told `unavailable` with the time after which to try again, and everything heals by itself.
 */
import assert from "node:assert/strict";
import { configure, type LogRecord, reset } from "@logtape/logtape";
import pg from "pg";
import { createSite } from "../api/site.ts";
import { WebSocketService } from "../client/chat_json.ts";
import { ParleyClient } from "../client/mod.ts";
import { call, cast, openSession, widgetKey } from "./support/http.ts";
import { makeDatabase, startServer, type TestServer } from "./support/server.ts";
import { POSTGRES_URL, testWith } from "./support/services.ts";
import { connect, type TestSocket } from "./support/socket.ts";
import { openTcpProxy, type TcpProxy } from "./support/tcp_proxy.ts";

interface Stage {
  server: TestServer;
  proxy: TcpProxy;
  /** The database itself, past the proxy. */
  direct: pg.Client;
  /** Lines of the log about the database. */
  log: LogRecord[];
}

const ENV = {
  DATABASE_STATEMENT_TIMEOUT_MS: "1500",
  DATABASE_LOCK_TIMEOUT_MS: "400",
  DATABASE_IDLE_TRANSACTION_TIMEOUT_MS: "700",
  DATABASE_QUERY_TIMEOUT_MS: "2000",
  DATABASE_CONNECT_TIMEOUT_MS: "2000",
  DATABASE_RETRY_MS: "1500",
  LIMIT_MESSAGES_PER_MINUTE: "100000",
  METRICS_TOKEN: "metrics-token-of-the-test",
};

/** The pages as they are built; deno task test builds them first. */
const site = () =>
  createSite({ dashboardDir: ".output", widgetDir: ".build/widget", reload: false });

/** A server whose way to its database the test has in its hand. */
async function withStage(fn: (stage: Stage) => Promise<void>): Promise<void> {
  const made = await makeDatabase();
  const { hostname, port } = new URL(POSTGRES_URL);
  const proxy = openTcpProxy({ hostname, port: Number(port || 5432) });
  const url = new URL(made.url);
  url.host = `127.0.0.1:${proxy.port}`;
  const log: LogRecord[] = [];
  await configure({
    reset: true,
    sinks: { list: (record) => void log.push(record) },
    loggers: [
      { category: ["parley", "database"], sinks: ["list"], lowestLevel: "debug" },
      { category: ["logtape", "meta"], sinks: [], lowestLevel: "error" },
    ],
  });
  const direct = new pg.Client({ connectionString: made.url });
  await direct.connect();
  try {
    const server = await startServer("pglite", { ...ENV, DATABASE_URL: url.href }, await site());
    try {
      await fn({ server, proxy, direct, log });
      assert.deepEqual(server.errors, []);
    } finally {
      proxy.open();
      proxy.freeze(false);
      await server.close();
    }
  } finally {
    await direct.end();
    proxy.close();
    await made.drop();
    await reset();
  }
}

/** Resolves when it holds; looks every few milliseconds, because nothing tells. */
async function until(holds: () => boolean | Promise<boolean>, what: string): Promise<void> {
  const deadline = Date.now() + 30_000;
  while (!await holds()) {
    if (Date.now() > deadline) throw new Error(`Waited in vain for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

const unavailable = (answer: { type: string; data?: unknown }) => {
  const { code, retryAfter } = answer.data as { code?: string; retryAfter?: number };
  return answer.type === "error" && code === "unavailable" && retryAfter! > 0;
};

async function endConnections({ direct }: Stage): Promise<number> {
  const { rowCount } = await direct.query(`select pg_terminate_backend(pid) from pg_stat_activity
    where datname = current_database() and pid <> pg_backend_pid()`);
  return rowCount ?? 0;
}

/** One message after the other, each until it is acknowledged, as every client does. */
async function write(socket: TestSocket, conversationId: string, count: number): Promise<string[]> {
  const ids: string[] = [];
  for (let n = 0; n < count; n++) {
    const clientMessageId = `m${n}`;
    for (;;) {
      const answer = await socket.ask("message", {
        conversationId,
        content: `message ${n}`,
        clientMessageId,
      });
      if (answer.type === "ack") {
        ids.push((answer.data as { message: { id: string } }).message.id);
        break;
      }
      assert.ok(unavailable(answer), JSON.stringify(answer));
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
  return ids;
}

testWith(
  ["postgres"],
  "a database that ends its connections ends nothing else",
  () =>
    withStage(async (stage) => {
      const { server, direct, log } = stage;
      const { agent, conversation } = await cast(server);
      const sockets = await Promise.all(
        [1, 2, 3].map(() => connect(server, { token: agent.token })),
      );
      await sockets[0]!.ask("join", { conversationId: conversation.id });
      let done = false;
      const writing = write(sockets[0]!, conversation.id, 40).finally(() => done = true);
      let ended = 0;
      while (!done) {
        ended += await endConnections(stage);
        await new Promise((resolve) => setTimeout(resolve, 60));
      }
      const ids = await writing;
      assert.ok(ended > 5, `${ended} connections were ended`);
      const { rows } = await direct.query(
        "select id, seq from chat_messages where conversation_id = $1 order by seq",
        [conversation.id],
      );
      assert.deepEqual(rows.map(({ id }) => id), ids);
      assert.deepEqual(rows.map(({ seq }) => Number(seq)), ids.map((_, n) => n + 1));
      for (const socket of sockets) assert.equal((await socket.ask("ping", {})).type, "ack");
      await until(() => log.at(-1)?.level === "info", "the end of the outage");
      // Each outage begins with one line and ends with one, however many queries failed.
      assert.deepEqual(
        log.map(({ level }) => level),
        log.map((_, n) => n % 2 === 0 ? "error" : "info"),
      );
      for (const socket of sockets) socket.close();
    }),
);

testWith(
  ["postgres"],
  "while the database is away everybody is told so, and it heals",
  () =>
    withStage(async ({ server, proxy, log }) => {
      const { agent, conversation } = await cast(server);
      const socket = await connect(server, { token: agent.token });
      await socket.ask("join", { conversationId: conversation.id });
      const conversationId = conversation.id;
      const before = log.length;
      for (const kind of ["shut", "frozen"] as const) {
        if (kind === "shut") proxy.shut();
        else proxy.freeze(true);
        const said = await Promise.all([
          ...["a", "b"].map((content) =>
            socket.ask("message", { conversationId, content, clientMessageId: content })
          ),
          socket.ask("history", { conversationId: conversation.id }),
        ]);
        for (const answer of said) assert.ok(unavailable(answer), JSON.stringify(answer));
        const { status, headers, body } = await call(server, "GET", "/api/conversations", {
          token: agent.token,
        });
        assert.equal(status, 503);
        assert.equal(headers.get("retry-after"), "1");
        assert.equal(body["code"], "unavailable");
        const page = await call<string>(server, "GET", "/login");
        assert.equal(page.status, 503);
        assert.equal(page.headers.get("retry-after"), "1");
        assert.match(page.body, /Not available right now/);
        assert.equal(await metric(server, "parley_database_up"), 0);
        if (kind === "shut") proxy.open();
        else proxy.freeze(false);
        await until(async () => await metric(server, "parley_database_up") === 1, "the database");
        const again = await socket.ask("message", {
          conversationId,
          content: kind,
          clientMessageId: kind,
        });
        assert.equal(again.type, "ack", JSON.stringify(again));
      }
      assert.deepEqual(log.slice(before).map(({ level }) => level), [
        "error",
        "info",
        "error",
        "info",
      ]);
      assert.ok(await metric(server, 'parley_database_trouble_total{kind="query_timeout"}') > 0);
      socket.close();
    }),
);

testWith(
  ["postgres"],
  "what somebody else has locked waits apart, in its order",
  () =>
    withStage(async ({ server, direct }) => {
      const { agent, conversation } = await cast(server);
      const other = await call<{ id: string }>(server, "POST", "/api/conversations", {
        token: (await openSession(server, await widgetKey(server, agent.token))).sessionId,
        body: {},
      });
      const socket = await connect(server, { token: agent.token });
      const write = (conversationId: string, content: string) =>
        socket.ask("message", { conversationId, content, clientMessageId: content });
      await direct.query("begin");
      await direct.query("select from conversations where id = $1 for update", [conversation.id]);
      let answered = 0;
      const locked = ["one", "two", "three"].map((content) =>
        write(conversation.id, content).finally(() => answered++)
      );
      for (const content of ["four", "five"]) {
        assert.equal((await write(other.body.id, content)).type, "ack");
        locked.push(write(conversation.id, content).finally(() => answered++));
      }
      assert.equal((await socket.ask("ping", {})).type, "ack");
      assert.equal(answered, 0, JSON.stringify(socket.received.slice(2)));
      await direct.query("rollback");
      const seqs = (await Promise.all(locked)).map(({ data }) =>
        (data as { message: { seq: number } }).message.seq
      );
      assert.deepEqual(seqs, [1, 2, 3, 4, 5]);

      // What stays locked is refused in time, and can be sent again.
      await direct.query("begin");
      await direct.query("select from conversations where id = $1 for update", [conversation.id]);
      const refused = await write(conversation.id, "six");
      assert.ok(unavailable(refused), JSON.stringify(refused));
      // A lock on the whole table is waited for by each alone.
      await direct.query("lock table chat_messages in exclusive mode");
      assert.ok(unavailable(await write(other.body.id, "seven")));
      assert.equal((await socket.ask("ping", {})).type, "ack");
      await direct.query("rollback");
      assert.equal((await write(conversation.id, "six")).type, "ack");
      assert.equal((await write(other.body.id, "seven")).type, "ack");
      socket.close();
    }),
);

testWith(
  ["postgres"],
  "a commit whose answer is lost is found out about, and told once",
  () =>
    withStage(async ({ server, proxy, direct }) => {
      const { agent, visitor, conversation } = await cast(server);
      const conversationId = conversation.id;
      const socket = await connect(server, { token: agent.token });
      const reader = await connect(server, { sessionId: visitor.sessionId });
      const follower = await connect(server, { token: agent.token });
      await follower.ack("join", { conversationId });
      const { documentId } = await socket.ack("join_session", { conversationId, clientId: "ada" });
      let seq = 0;
      const status = { before: "pending", after: "snoozed", late: "open" };
      for (const when of ["before", "after", "late"] as const) {
        const cut = proxy.cut(when, "write_batch");
        const said = await Promise.all([
          socket.ack("message", { conversationId, content: when, clientMessageId: when }),
          // Without an id of its own: to repeat it might undo what somebody else did meanwhile.
          call(server, "PATCH", `/api/conversations/${conversationId}`, {
            token: agent.token,
            body: { status: status[when] },
          }),
          // Its receipt is told with its number, which the lost answer would have said.
          reader.ack("read", { conversationId, seq }),
        ]);
        await cut;
        assert.equal(said[0].duplicate, false);
        assert.equal(said[1].status, 200);
        if (when === "late") await proxy.deliver();
        seq += 2;
        await follower.until(
          ({ data }) => (data as { seq?: number })?.seq === seq,
          "the last event",
        );

        // What needs more than the conversation's row is a transaction of several statements.
        const changed = proxy.cut(
          when === "late" ? "after" : when,
          "update chat_messages",
          "commit\0",
        );
        await socket.ack("edit_message", {
          conversationId,
          messageId: said[0].message.id,
          content: `${when}, edited`,
        });
        await changed;
        seq++;

        if (when === "late") break;
        const version = when === "before" ? 0 : 1;
        const edited = proxy.cut(when, "store_edits");
        const receipt = await socket.ack("edit", {
          documentId,
          version,
          operation: "insert",
          position: 0,
          content: "x",
        });
        await edited;
        assert.equal(receipt.version, version + 1);
      }
      const { rows } = await direct.query("select seq from conversation_events order by seq");
      const reads = follower.received.flatMap((message) =>
        message.type === "message_status" && message.data.userId === visitor.contact.id
          ? [message.data.receipt?.number]
          : []
      );
      assert.deepEqual(reads.map((number) => typeof number), ["undefined", "number", "number"]);
      const all = Array.from({ length: seq }, (_, i) => i + 1);
      assert.deepEqual(rows.map(({ seq }) => Number(seq)), all);
      const told = follower.received.filter(({ type }) =>
        type === "message" || type === "conversation_changed" || type === "message_updated"
      );
      assert.deepEqual(told.map(({ data }) => (data as { seq: number }).seq), all);
      const { content, version } = await socket.ack("join_session", {
        conversationId,
        clientId: "ada",
      });
      assert.deepEqual([content, version], ["xx", 2]);
      await Promise.all([socket, reader, follower].map((one) => one.close()));
    }),
);

testWith(
  ["postgres"],
  "clients keep what they send, and who comes meanwhile is let in after",
  () =>
    withStage(async ({ server, proxy, direct }) => {
      const { agent, visitor, conversation } = await cast(server);
      const client = new ParleyClient({
        url: server.url,
        credentials: () => ({ sessionId: visitor.sessionId }),
      });
      await client.connect();
      const chat = new WebSocketService({
        url: `${server.url.replace("http", "ws")}/ws`,
        sessionId: visitor.sessionId,
      });
      const gaveUp: string[] = [];
      chat.onError(({ code }) => gaveUp.push(code));
      await chat.connect();
      const { conversationId } = await client.send({ content: "sdk 0" });
      assert.equal(conversationId, conversation.id);
      const seen = new Set<unknown>();
      chat.addMessageHandler(({ type, payload }) => {
        if (type === "chat") seen.add(payload?.["content"]);
      });

      proxy.shut();
      const sent = ["sdk 1", "sdk 2"].map((content) => client.send({ content }));
      await Promise.all(
        ["chat 1", "chat 2"].map((content) => chat.send({ type: "chat", payload: { content } })),
      );
      // Who comes now waits for it, whatever they speak.
      const late = connect(server, { token: agent.token });
      const lateClient = new ParleyClient({
        url: server.url,
        credentials: () => ({ sessionId: visitor.sessionId }),
      });
      const lateClientIsIn = lateClient.connect();
      const topics = new WebSocket(
        `${server.url.replace("http", "ws")}/api/v1/ws?token=${agent.token}`,
      );
      const { promise: topicsIsIn, resolve, reject } = Promise.withResolvers<void>();
      topicsIsIn.catch(() => {});
      topics.onmessage = ({ data }) => JSON.parse(data).type === "authenticated" && resolve();
      topics.onclose = ({ code }) => reject(new Error(`Closed with ${code}`));
      // Longer than a change is tried again, so that all have been refused at least once.
      await new Promise((resolve) => setTimeout(resolve, 2500));
      proxy.open();

      await Promise.all(sent);
      await until(() => seen.has("chat 1") && seen.has("chat 2"), "the chats");
      await Promise.all([lateClientIsIn, topicsIsIn]);
      await (await late).close();
      assert.deepEqual(gaveUp, []);
      const { rows } = await direct.query("select content from chat_messages order by seq");
      assert.deepEqual(
        rows.map(({ content }) => content).sort(),
        ["chat 1", "chat 2", "sdk 0", "sdk 1", "sdk 2"],
      );
      client.close();
      lateClient.close();
      topics.onclose = null;
      topics.close();
      chat.disconnect();
    }),
);

async function metric(server: TestServer, name: string): Promise<number> {
  const { body } = await call<string>(server, "GET", "/metrics", { token: ENV.METRICS_TOKEN });
  const line = body.split("\n").find((one) => one.startsWith(`${name} `));
  return Number(line?.split(" ").at(-1));
}
