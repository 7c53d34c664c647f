/** What the engine refuses, its bounds, and its responses to pages of other origins. */
import assert from "node:assert/strict";
import fc from "fast-check";
import type { EngineSocket } from "../mod.ts";
import { echo, held, serveEngine, until } from "./harness.ts";
import { ask, conformanceTest, openPolling, openSession, openSocket, probe } from "./peer.ts";

/** The end of a session on the server. */
function ending(): { ended: Promise<[string, string?]>; watch: (socket: EngineSocket) => void } {
  const { promise, resolve } = Promise.withResolvers<[string, string?]>();
  return {
    ended: promise,
    watch: (socket) => socket.on("close", (reason, error) => resolve([reason, error?.message])),
  };
}

/** Sends a request whose body does not fit its headers. Resolves with the connection. */
async function sendRaw(url: string, headers: string, body: string): Promise<Deno.TcpConn> {
  const { hostname, port, pathname, search } = new URL(url);
  const connection = await Deno.connect({ hostname, port: Number(port) });
  await connection.write(
    new TextEncoder().encode(
      `POST ${pathname}${search} HTTP/1.1\r\nhost: ${hostname}\r\n${headers}\r\n\r\n${body}`,
    ),
  );
  return connection;
}

async function readStatus(connection: Deno.TcpConn): Promise<string> {
  const buffer = new Uint8Array(4096);
  const count = await connection.read(buffer);
  return new TextDecoder().decode(buffer.subarray(0, count ?? 0)).split("\r\n")[0]!;
}

conformanceTest("a body with a content-length over maxPayload is refused unread", async () => {
  const { ended, watch } = ending();
  const server = serveEngine(watch, { maxPayload: 1000 });
  const peer = await openPolling(server.url);
  const connection = await sendRaw(peer.url, "content-length: 1001", "4");
  assert.equal(await readStatus(connection), "HTTP/1.1 413 Payload Too Large");
  connection.close();
  assert.deepEqual(await ended, [
    "transport error",
    "Cannot take the packets: the body is too large",
  ]);
  await server.close();
});

conformanceTest(
  "a chunked body over maxPayload is refused before its end",
  async () => {
    const server = serveEngine(undefined, { maxPayload: 1000 });
    const peer = await openPolling(server.url);
    const chunk = `400\r\n${"4".repeat(1024)}\r\n`;
    const connection = await sendRaw(peer.url, "transfer-encoding: chunked", chunk);
    assert.equal(await readStatus(connection), "HTTP/1.1 413 Payload Too Large");
    connection.close();
    assert.equal(server.engine.clientsCount, 0);
    await server.close();
  },
);

conformanceTest("a body and a frame of exactly maxPayload bytes are taken", async () => {
  const server = serveEngine(undefined, { maxPayload: 1000 });
  // 500 characters of two bytes, with the packet's type as one byte more.
  const text = "4" + "é".repeat(499) + "e";
  const peer = await openPolling(server.url);
  assert.equal((await peer.post(text)).status, 200);
  assert.equal((await peer.poll()).text, text);
  const socket = await openSession(server.url);
  socket.send(text);
  assert.equal(await socket.next(), text);
  await socket.close();
  await server.close();
});

for (
  const [what, frame] of [
    ["text", "4" + "é".repeat(500)],
    ["binary", new Uint8Array(1001)],
  ] as const
) {
  conformanceTest(`a ${what} frame over maxPayload ends the session with 1009`, async () => {
    const { ended, watch } = ending();
    const server = serveEngine(watch, { maxPayload: 1000 });
    const socket = await openSession(server.url);
    socket.send(frame);
    assert.equal((await socket.closed).code, 1009);
    assert.deepEqual(await ended, [
      "transport error",
      "Cannot read the message: 1001 bytes are over 1000",
    ]);
    await server.close();
  });
}

conformanceTest("a half-sent body ends with its session's time", async () => {
  const { ended, watch } = ending();
  const server = serveEngine(watch, { pingIntervalMs: 50, pingTimeoutMs: 50 });
  const peer = await openPolling(server.url);
  const connection = await sendRaw(peer.url, "content-length: 100", "4half");
  assert.equal((await ended)[0], "ping timeout");
  assert.equal(await readStatus(connection), "HTTP/1.1 400 Bad Request");
  connection.close();
  await server.close();
});

conformanceTest("a client that disconnects within its body ends the session", async () => {
  const { ended, watch } = ending();
  const data: unknown[] = [];
  const server = serveEngine((socket) => {
    watch(socket);
    socket.on("data", (message) => data.push(message));
  });
  const peer = await openPolling(server.url);
  const connection = await sendRaw(peer.url, "content-length: 100", "4half");
  connection.close();
  assert.deepEqual(await ended, [
    "transport error",
    "Cannot take the packets: the body has no end",
  ]);
  assert.deepEqual(data, []);
  await server.close();
});

conformanceTest("a second POST while one is being read ends the session", async () => {
  const { ended, watch } = ending();
  const server = serveEngine(watch);
  const peer = await openPolling(server.url);
  const connection = await sendRaw(peer.url, "content-length: 100", "4half");
  // The server may receive either of the two first; in the end both are refused.
  const second = await peer.post("4second".padEnd(100_000));
  if (second.status === 200) assert.equal((await peer.post("4third")).status, 400);
  assert.equal(await readStatus(connection), "HTTP/1.1 400 Bad Request");
  connection.close();
  assert.deepEqual(await ended, [
    "transport error",
    "Cannot take the packets: another POST is being read",
  ]);
  await server.close();
});

conformanceTest("a binary body, which Engine.IO 3 had, is refused", async () => {
  const server = serveEngine();
  const peer = await openPolling(server.url);
  const headers = { "content-type": "application/octet-stream" };
  assert.equal((await peer.post("4hello", { headers })).status, 400);
  assert.equal(server.engine.clientsCount, 0);
  await server.close();
});

conformanceTest("a session that does not poll is closed past maxBufferedBytes", async () => {
  const { ended, watch } = ending();
  const server = serveEngine(watch, { maxBufferedBytes: 10_000 });
  const peer = await openPolling(server.url);
  const socket = server.sockets.get(peer.sid)!;
  let sent = 0;
  for (; socket.readyState === "open" && sent < 1000; sent++) socket.send("x".repeat(999));
  assert.equal(
    sent,
    12,
    "eleven messages of a thousand bytes are past the limit, the next is not taken",
  );
  assert.deepEqual(await ended, [
    "transport error",
    "Cannot send: 11000 bytes wait for the peer already",
  ]);
  assert.equal((await peer.poll()).status, 400);
  await server.close();
});

conformanceTest(
  "a poll's response counts as buffered until the next poll",
  async () => {
    const server = serveEngine();
    const peer = await openPolling(server.url);
    const socket = server.sockets.get(peer.sid)!;
    assert.equal(socket.bufferedAmount, 0);
    socket.send("žluť");
    socket.send(new Uint8Array(4));
    assert.equal(socket.bufferedAmount, 7 + 8, "UTF-8 and base64");
    await peer.poll();
    assert.equal(socket.bufferedAmount, 15);
    const polled = peer.poll();
    await held(server, peer.sid);
    assert.equal(socket.bufferedAmount, 0);
    socket.send("more");
    assert.equal((await polled).text, "4more");
    await server.close();
  },
);

conformanceTest("what is sent together arrives in one answer", async () => {
  const server = serveEngine();
  const peer = await openPolling(server.url);
  const polled = peer.poll();
  await held(server, peer.sid);
  const socket = server.sockets.get(peer.sid)!;
  socket.send("one");
  socket.send("two");
  assert.equal((await polled).text, "4one\x1e4two");
  await server.close();
});

conformanceTest("an upgrade that is not completed in time leaves the session polling", async () => {
  const server = serveEngine(undefined, { upgradeTimeoutMs: 50 });
  const peer = await openPolling(server.url);
  const socket = await probe(server.url, peer.sid);
  await socket.closed;
  await peer.post("4hello");
  assert.equal((await peer.poll()).text, "4hello");
  await server.close();
});

for (const frame of ["4hello", "2", "2other", "abc", "1", Uint8Array.from([1])]) {
  conformanceTest(
    `a probe that sends ${JSON.stringify(frame)} is closed, its session is not`,
    async () => {
      const server = serveEngine();
      const peer = await openPolling(server.url);
      const socket = openSocket(server.url, { sid: peer.sid });
      await socket.opened;
      socket.send(frame);
      await socket.closed;
      await peer.post("4hello");
      assert.equal((await peer.poll()).text, "4hello");
      const second = await probe(server.url, peer.sid);
      second.send("5");
      second.send("4again");
      assert.equal(await second.next(), "4again");
      await second.close();
      await server.close();
    },
  );
}

conformanceTest("a session that ends during its upgrade closes the probe", async () => {
  const server = serveEngine();
  const peer = await openPolling(server.url);
  const socket = await probe(server.url, peer.sid);
  await peer.post("1");
  await socket.closed;
  await server.close();
});

/** A session that the server has closed, with packets that wait, after its probe was answered. */
async function closedWhileProbed() {
  const { ended, watch } = ending();
  const server = serveEngine(watch);
  const peer = await openPolling(server.url);
  const candidate = await probe(server.url, peer.sid);
  const socket = server.sockets.get(peer.sid)!;
  socket.send("first");
  socket.send(new Uint8Array([1, 2, 3]));
  socket.close();
  socket.send("too late");
  assert.equal(socket.readyState, "closing");
  return { ended, server, peer, candidate };
}

conformanceTest(
  "closed between probe and upgrade, a session sends what waits over the websocket",
  async () => {
    const { ended, server, peer, candidate } = await closedWhileProbed();
    candidate.send("5");
    assert.equal(await candidate.next(), "4first");
    assert.deepEqual(await candidate.next(), new Uint8Array([1, 2, 3]));
    await candidate.closed;
    await assert.rejects(candidate.next(), /closed/, "nothing comes behind it");
    assert.equal((await ended)[0], "forced close");
    assert.equal((await peer.poll()).status, 400);
    await server.close();
  },
);

conformanceTest(
  "closed between probe and upgrade, a session sends what waits to a poll",
  async () => {
    const { ended, server, peer, candidate } = await closedWhileProbed();
    assert.equal((await peer.poll()).text, "4first\x1ebAQID");
    assert.equal((await peer.poll()).text, "1");
    assert.equal((await ended)[0], "forced close");
    await candidate.closed;
    await assert.rejects(candidate.next(), /closed/, "nothing comes twice");
    assert.equal((await peer.poll()).status, 400);
    await server.close();
  },
);

conformanceTest(
  "a polling session that the server closes gets what waits and the close",
  async () => {
    const { ended, watch } = ending();
    const server = serveEngine(watch);
    const peer = await openPolling(server.url);
    const socket = server.sockets.get(peer.sid)!;
    socket.send("last");
    socket.close();
    socket.send("too late");
    assert.equal(socket.readyState, "closing");
    assert.equal((await peer.poll()).text, "4last");
    assert.equal((await peer.poll()).text, "1");
    assert.equal((await ended)[0], "forced close");
    assert.equal((await peer.poll()).status, 400);
    await server.close();
  },
);

conformanceTest("a closed polling session ends without a last poll", async () => {
  const { ended, watch } = ending();
  const server = serveEngine(watch, { pingTimeoutMs: 50 });
  const peer = await openPolling(server.url);
  server.sockets.get(peer.sid)!.close();
  assert.equal((await ended)[0], "forced close");
  assert.equal(server.engine.clientsCount, 0);
  await server.close();
});

conformanceTest("a websocket that the server closes has got everything before", async () => {
  const server = serveEngine((socket) => {
    for (let i = 0; i < 200; i++) socket.send(`${i} ${"x".repeat(20_000)}`);
    socket.close();
  });
  const peer = await openSession(server.url);
  for (let i = 0; i < 200; i++) assert.ok(String(await peer.next()).startsWith(`4${i} x`));
  await peer.closed;
  await server.close();
});

conformanceTest(
  "sessions over maxSessions are refused, and accepted when others have ended",
  async () => {
    const server = serveEngine(undefined, { maxSessions: 2 });
    const first = await openPolling(server.url);
    const second = await openSession(server.url);
    const refused = await ask(`${server.url}?EIO=4&transport=polling`);
    assert.equal(refused.status, 503);
    assert.equal(refused.headers.get("retry-after"), "1");
    const socket = openSocket(server.url);
    await assert.rejects(socket.opened);
    await first.post("1");
    await until(() => server.engine.clientsCount === 1, "The session did not end");
    await openPolling(server.url);
    await second.close();
    await server.close();
  },
);

conformanceTest(
  "a refusal of `allow` is the response, and `allow` is called once for a session",
  async () => {
    const asked: string[] = [];
    const server = serveEngine(undefined, {
      allow: (request, peer) => {
        asked.push(peer.address);
        const isBad = request.headers.get("x-bad") !== null;
        return Promise.resolve(isBad ? new Response("not you", { status: 429 }) : null);
      },
    });
    const origin = "https://shop.example";
    const refused = await ask(`${server.url}?EIO=4&transport=polling`, {
      headers: { "x-bad": "1", origin },
    });
    assert.deepEqual([refused.status, refused.text], [429, "not you"]);
    assert.equal(refused.headers.get("access-control-allow-origin"), origin);
    const peer = await openPolling(server.url);
    await peer.post("4hello");
    await peer.poll();
    const socket = await probe(server.url, peer.sid);
    await socket.close();
    assert.deepEqual(asked, ["127.0.0.1", "127.0.0.1"]);
    await server.close();
  },
);

conformanceTest("pages of allowed origins may read every response, with credentials", async () => {
  const asked: (string | null)[] = [];
  const server = serveEngine(undefined, {
    cors: (origin) => {
      asked.push(origin);
      return Promise.resolve(origin === "https://shop.example");
    },
  });
  const shop = { headers: { origin: "https://shop.example" } };
  const readable = (headers: Headers) =>
    ["access-control-allow-origin", "access-control-allow-credentials", "vary"]
      .map((name) => headers.get(name));
  const yes = ["https://shop.example", "true", "Origin"];

  const preflight = await ask(`${server.url}?EIO=4&transport=polling`, {
    method: "OPTIONS",
    headers: { ...shop.headers, "access-control-request-headers": "content-type, x-mine" },
  });
  assert.equal(preflight.status, 204);
  assert.deepEqual(readable(preflight.headers), yes);
  assert.equal(preflight.headers.get("access-control-allow-methods"), "GET, POST");
  assert.equal(preflight.headers.get("access-control-allow-headers"), "content-type, x-mine");

  const peer = await openPolling(server.url, shop);
  const times = asked.length;
  assert.deepEqual(readable((await peer.post("4hello", shop)).headers), yes);
  assert.deepEqual(readable((await peer.poll(shop)).headers), yes);
  assert.equal(asked.length, times, "an origin is not asked for again by its own session");
  const error = await ask(`${server.url}?EIO=3&transport=polling`, shop);
  assert.deepEqual(readable(error.headers), yes, "errors can be read, too");

  const other = { headers: { origin: "https://evil.example" } };
  assert.deepEqual(readable((await peer.post("4hello", other)).headers), [null, null, null]);
  assert.deepEqual(readable((await peer.poll(other)).headers), [null, null, null]);
  assert.deepEqual(readable((await peer.post("4hello")).headers), [null, null, null]);
  assert.ok(!asked.includes(null), "what is no page's request is not asked about");
  await server.close();
});

conformanceTest(
  "an exception of a listener or a callback is reported, and ends nothing",
  async () => {
    const server = serveEngine((socket) => {
      socket.on("data", () => {
        throw new Error("listener");
      });
      echo(socket);
      throw new Error("connection");
    }, {
      allow: (request) =>
        request.headers.get("x-bad") === null
          ? Promise.resolve(null)
          : Promise.reject(new Error("allow")),
    });
    const socket = await openSession(server.url);
    socket.send("4hello");
    assert.equal(await socket.next(), "4hello");
    const refused = await ask(`${server.url}?EIO=4&transport=polling`, {
      headers: { "x-bad": "1" },
    });
    assert.equal(refused.status, 500);
    assert.deepEqual(server.errors.map(String), [
      "Error: connection",
      "Error: listener",
      "Error: allow",
    ]);
    server.errors.splice(0);
    await socket.close();
    await server.close();
  },
);

conformanceTest("a closed engine ends its sessions at once and refuses new ones", async () => {
  const server = serveEngine();
  const peer = await openPolling(server.url);
  const polled = peer.poll();
  await held(server, peer.sid);
  const socket = await openSession(server.url);
  server.engine.close();
  assert.equal((await polled).text, "1");
  await socket.closed;
  assert.equal(server.engine.clientsCount, 0);
  assert.equal((await ask(`${server.url}?EIO=4&transport=polling`)).status, 503);
  await server.close();
});

conformanceTest("other paths are not answered as sessions", async () => {
  const server = serveEngine();
  const { origin } = new URL(server.url);
  assert.equal((await ask(`${origin}/other/?EIO=4&transport=polling`)).status, 404);
  assert.equal((await ask(`${origin}/engine.io?EIO=4&transport=polling`)).status, 200);
  await server.close();
});

conformanceTest("a session keeps the request of its handshake", async () => {
  const server = serveEngine();
  const peer = await openPolling(server.url, {
    headers: { origin: "https://shop.example", "X-Mine": "yes" },
  });
  const { request, remoteAddress } = server.sockets.get(peer.sid)!;
  assert.equal(request.headers["x-mine"], "yes");
  assert.equal(request.origin, "https://shop.example");
  assert.equal(request.query.transport, "polling");
  assert.equal(request.url, "/engine.io/?EIO=4&transport=polling");
  assert.equal(remoteAddress, "127.0.0.1");
  const socket = await openSession(server.url);
  const [, second] = [...server.sockets.values()];
  assert.equal(second!.request.query.transport, "websocket");
  await socket.close();
  await until(() => server.sockets.size === 1, "The session did not end");
  await server.close();
});

conformanceTest("the engine survives whatever a client sends", async () => {
  const server = serveEngine();
  const junk = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.array(fc.constantFrom("0", "1", "2probe", "3", "4x", "5", "6", "b", "b=", "b!"))
      .map((packets) => packets.join("\x1e")),
    fc.uint8Array().map((bytes) => new Uint8Array(bytes)),
  );
  await fc.assert(
    fc.asyncProperty(junk, async (body) => {
      const peer = await openPolling(server.url);
      assert.ok([200, 400].includes((await peer.post(body)).status));
      const probing = openSocket(server.url, { sid: peer.sid });
      await probing.opened.then(() => probing.send(body), () => {});
      const socket = await openSession(server.url);
      socket.send(body);
      await Promise.all([probing.close(), socket.close()]);
    }),
    { numRuns: 100 },
  );
  const peer = await openPolling(server.url);
  await peer.post("4hello");
  assert.equal((await peer.poll()).text, "4hello");
  await server.close();
});

conformanceTest("a body that is being read when its session upgrades is discarded", async () => {
  const data: unknown[] = [];
  const server = serveEngine((socket) => {
    socket.on("data", (message) => data.push(message));
    echo(socket);
  });
  const peer = await openPolling(server.url);
  const connection = await sendRaw(peer.url, "content-length: 100", "4half");
  const socket = await probe(server.url, peer.sid);
  socket.send("5");
  assert.equal(await readStatus(connection), "HTTP/1.1 400 Bad Request");
  connection.close();
  socket.send("4hello");
  assert.equal(await socket.next(), "4hello");
  assert.deepEqual(data, ["hello"]);
  await socket.close();
  await server.close();
});

/** Timers that the test fires, and whose pending callbacks it sees. */
function manualTimers() {
  const pending = new Map<() => void, number>();
  return {
    pending,
    after(ms: number, callback: () => void) {
      const entry = () => callback();
      pending.set(entry, ms);
      return () => void pending.delete(entry);
    },
  };
}

conformanceTest("a session cancels all its timers, however it ends", async () => {
  const timers = manualTimers();
  const server = serveEngine(undefined, { timers });
  const isEmpty = () =>
    until(() => server.engine.clientsCount === 0 && timers.pending.size === 0, "A timer is left");

  const polling = await openPolling(server.url);
  assert.equal(timers.pending.size, 1);
  const polled = polling.poll();
  await held(server, polling.sid);
  await polling.post("1");
  await polled;
  await isEmpty();

  const websocket = await openSession(server.url);
  assert.equal(timers.pending.size, 1);
  await websocket.close();
  await isEmpty();

  const upgrading = await openPolling(server.url);
  const candidate = await probe(server.url, upgrading.sid);
  assert.equal(timers.pending.size, 2, "the heartbeat and the upgrade");
  await upgrading.post("abc");
  await candidate.closed;
  await isEmpty();

  const closed = await openPolling(server.url);
  server.sockets.get(closed.sid)!.close();
  assert.equal(timers.pending.size, 1, "the heartbeat is over, the close has a time");
  assert.equal((await closed.poll()).text, "1");
  await isEmpty();

  const upgraded = await openPolling(server.url);
  const socket = await probe(server.url, upgraded.sid);
  socket.send("5");
  socket.send("4hello");
  assert.equal(await socket.next(), "4hello");
  assert.equal(timers.pending.size, 1);
  await socket.close();
  await isEmpty();
  await server.close();
});

conformanceTest(
  "a poll of an overdue session is refused, even before the timer fires",
  async () => {
    const timers = manualTimers();
    const server = serveEngine(undefined, { timers, pingIntervalMs: 10, pingTimeoutMs: 10 });
    const peer = await openPolling(server.url);
    const [ping] = timers.pending.keys();
    ping!();
    const sent = performance.now();
    await until(() => performance.now() > sent + 20, "Time stands still");
    assert.equal((await peer.poll()).status, 400);
    assert.equal(server.engine.clientsCount, 0);
    await server.close();
  },
);
