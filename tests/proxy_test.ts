/** Behind nginx with the files of deploy/nginx: for one node, and for several. */
import assert from "node:assert/strict";
import { connectPeer } from "./protocols/socket_io_peer.ts";
import { call, cast, login, openSession, widgetKey } from "./support/http.ts";
import { type Nginx, startNginx } from "./support/nginx.ts";
import { sharedSettings } from "./support/nodes.ts";
import { makeDatabase, startServer, type TestServer } from "./support/server.ts";
import { testWith } from "./support/services.ts";
import { connect, TestSocket } from "./support/socket.ts";

const portOf = ({ url }: { url: string }) => Number(new URL(url).port);

async function withOneNode(
  fn: (proxy: Nginx, node: TestServer) => Promise<void>,
  env: Record<string, string> = {},
  changes: [string, string][] = [],
): Promise<void> {
  const node = await startServer("pglite", { TRUSTED_PROXIES: "127.0.0.1", ...env });
  const proxy = await startNginx("upstream_one_node.conf", [portOf(node)], changes);
  try {
    await fn(proxy, node);
    assert.deepEqual(node.errors, []);
  } finally {
    await proxy.close();
    await node.close();
  }
}

/** The status of an upgrade from a page of this origin; 101 is let go at once. */
async function upgrade(proxy: Nginx, origin: string, from = "127.0.0.1"): Promise<number> {
  const socket = await Deno.connect({ hostname: "127.0.0.1", port: proxy.port });
  const lines = [
    "GET /realtime HTTP/1.1",
    `Host: ${new URL(proxy.url).host}`,
    "Connection: Upgrade",
    "Upgrade: websocket",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    `Origin: ${origin}`,
    `X-Forwarded-For: ${from}`,
    "X-Forwarded-Host: elsewhere.example",
    "Forwarded: host=elsewhere.example",
  ];
  await socket.write(new TextEncoder().encode(lines.join("\r\n") + "\r\n\r\n"));
  const buffer = new Uint8Array(4096);
  const count = await socket.read(buffer) ?? 0;
  socket.close();
  return Number(/^HTTP\/1\.1 (\d+)/.exec(new TextDecoder().decode(buffer.subarray(0, count)))?.[1]);
}

/** What comes until the other side ends the connection, or says that it is too much. */
async function untilCut(proxy: Nginx, ...parts: string[]): Promise<string> {
  const socket = await Deno.connect({ hostname: "127.0.0.1", port: proxy.port });
  const timer = setTimeout(() => socket.close(), 20_000);
  for (const part of parts) await socket.write(new TextEncoder().encode(part));
  const text: string[] = [];
  try {
    for await (const chunk of socket.readable.pipeThrough(new TextDecoderStream())) {
      text.push(chunk);
      if (chunk.startsWith("HTTP/1.1 413 ")) break;
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.ConnectionReset)) throw error;
  } finally {
    clearTimeout(timer);
  }
  return text.join("");
}

testWith(
  ["nginx"],
  "nginx passes sockets on, and the origin fits the port of the proxy",
  () =>
    withOneNode(async (proxy) => {
      const { agent, visitor, conversation } = await cast(proxy);
      const conversationId = conversation.id;
      const v = await connect(proxy, { sessionId: visitor.sessionId });
      const g = await connect(proxy, { token: agent.token });
      await g.ack("join", { conversationId });
      const { message } = await v.ack("message", {
        conversationId,
        content: "Through the proxy",
        clientMessageId: "1",
      });
      await g.event("message", ({ id }) => id === message.id);
      await Promise.all([v.close(), g.close()]);
      assert.equal(await upgrade(proxy, proxy.url), 101);
      // Neither a port that is not the proxy's, nor a host that a client made up.
      assert.equal(await upgrade(proxy, "http://127.0.0.1"), 403);
      assert.equal(await upgrade(proxy, "http://elsewhere.example"), 403);
    }),
);

testWith(
  ["nginx"],
  "behind nginx the address is the client's, whatever it says",
  () =>
    withOneNode(async (proxy, node) => {
      const key = await widgetKey(node, (await login(node)).token);
      using near = Deno.createHttpClient({ localAddress: "127.0.0.2" });
      using far = Deno.createHttpClient({ localAddress: "127.0.0.3" });
      const open = async (client: Deno.HttpClient, said: string) => {
        const init: RequestInit & { client: Deno.HttpClient } = {
          client,
          method: "POST",
          headers: { "content-type": "application/json", "x-forwarded-for": said },
          body: JSON.stringify({ widgetKey: key }),
        };
        const answer = await fetch(`${proxy.url}/api/sessions`, init);
        await answer.body?.cancel();
        return answer.status;
      };
      const statuses = [];
      for (const said of ["203.0.113.1", "203.0.113.2", "203.0.113.3"]) {
        statuses.push(await open(near, said));
      }
      assert.deepEqual(statuses, [200, 200, 429], "one address, and one limit");
      assert.equal(await open(far, "203.0.113.1"), 200);
    }, { LIMIT_SESSIONS_PER_MINUTE: "2" }),
);

testWith(
  ["nginx"],
  "nginx logs no token that is in an address",
  () =>
    withOneNode(async (proxy) => {
      const { agent } = await cast(proxy);
      const path = `/api/conversations?token=${agent.token}`;
      await call(proxy, "GET", path, { token: agent.token });
      const socket = new WebSocket(
        `${proxy.url.replace("http", "ws")}/api/chat/ws?token=${agent.token}`,
      );
      await new Promise((resolve) => socket.addEventListener("open", resolve, { once: true }));
      const closed = new Promise((resolve) => socket.addEventListener("close", resolve));
      socket.close();
      await closed;
      let log = "";
      while (!log.includes('"GET /api/chat/ws" 101')) log = await proxy.accessLog();
      assert.match(log, /"GET \/api\/conversations" \d/);
      assert.ok(!log.includes(agent.token) && !log.includes("token="), log);
    }),
);

testWith(["nginx"], "nginx cuts who sends half a request, or nothing", () =>
  withOneNode(
    async (proxy, node) => {
      const post = "POST /api/sessions HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n";
      const [silent, head, body, large] = await Promise.all([
        untilCut(proxy),
        untilCut(proxy, "GET / HTTP/1.1\r\nHost: x\r\nX-Half:"),
        untilCut(proxy, post, "Content-Length: 100\r\n\r\n", '{"widgetKey": "'),
        untilCut(proxy, post, "Content-Length: 9000000\r\n\r\n"),
      ]);
      assert.equal(silent, "");
      assert.match(head, /^(HTTP\/1\.1 408 .*)?$/s);
      assert.match(body, /^(HTTP\/1\.1 408 .*)?$/s);
      assert.match(large, /^HTTP\/1\.1 413 /);
      assert.match(large, /\nStrict-Transport-Security: max-age=63072000; includeSubDomains\r\n/);
      assert.equal((await call(node, "GET", "/health")).status, 200);
    },
    {},
    [["client_header_timeout 10s;", "client_header_timeout 1s;"], [
      "client_body_timeout 10s;",
      "client_body_timeout 1s;",
    ]],
  ));

testWith(["nginx"], "nginx bounds what one network has open", () =>
  withOneNode(
    async (proxy) => {
      const sockets = Array.from({ length: 3 }, () => new TestSocket(proxy.url));
      await Promise.all(sockets.map((socket) => socket.event("welcome")));
      assert.equal(await upgrade(proxy, proxy.url), 429);
      await sockets[0]!.close();
      const deadline = Date.now() + 20_000;
      while (await upgrade(proxy, proxy.url) !== 101) assert.ok(Date.now() < deadline);
      for (const socket of sockets) await socket.close();
    },
    {},
    [["limit_conn parley_network 200;", "limit_conn parley_network 3;"]],
  ));

// Over polling without the sanitizers: when a request ends, the XMLHttpRequest that the official
// client brings for servers leaves a timer of its own.
testWith(["nginx", "postgres"], "three nodes behind nginx are one Parley", async () => {
  const database = await makeDatabase();
  const nodes: TestServer[] = [];
  let proxy: Nginx | null = null;
  try {
    for (let n = 0; n < 3; n++) {
      const settings = {
        ...sharedSettings("channel", database.url),
        TRUSTED_PROXIES: "127.0.0.1",
        LIMIT_CONNECTIONS_PER_MINUTE: "1000",
      };
      nodes.push(await startServer("pglite", settings));
    }
    proxy = await startNginx("upstream_nodes.conf", nodes.map(portOf));
    const { token } = await login(proxy);
    const key = await widgetKey(proxy, token);
    for (const transports of [["polling", "websocket"], ["polling"]] as const) {
      for (let n = 0; n < 10; n++) {
        const { sessionId } = await openSession(proxy, key);
        const peer = await connectPeer(proxy, { sessionId }, [...transports]);
        await peer.close();
      }
    }
    // What needs no stickiness is spread.
    const sockets = Array.from({ length: 9 }, () => new TestSocket(proxy!.url));
    await Promise.all(sockets.map((socket) => socket.event("welcome")));
    for (const node of nodes) {
      const { body } = await call(node, "GET", "/health");
      const { connections } = body.websocket as { connections: number };
      assert.ok(connections > 0, `a node has none of ${sockets.length} sockets`);
    }
    await Promise.all(sockets.map((socket) => socket.close()));
    // One is gone: nobody notices.
    await nodes[1]!.stop();
    for (let n = 0; n < 12; n++) {
      const { status } = await call(proxy, "GET", "/api/auth/me", { token });
      assert.notEqual(status, 502);
    }
  } finally {
    await proxy?.close();
    for (const node of nodes) await node.close();
    await database.drop();
  }
});

Deno.test("the composed nodes are the nodes of nginx's list", async () => {
  const shipped = (name: string) =>
    Deno.readTextFile(new URL(`../deploy/${name}`, import.meta.url));
  const [nodes, composed, compose] = await Promise.all([
    shipped("nginx/upstream_nodes.conf"),
    shipped("nginx/upstream_compose.conf"),
    shipped("compose.nodes.yaml"),
  ]);
  const named = nodes.replaceAll(/127\.0\.0\.1:800(\d)/g, (_, n) => `parley${Number(n) + 1}:8000`);
  const rules = (text: string) => text.split("\n").filter((line) => !line.startsWith("#"));
  assert.deepEqual(rules(composed), rules(named));
  for (const name of ["parley1", "parley2", "parley3"]) {
    assert.ok(compose.includes(`  ${name}: *node`));
  }
});
