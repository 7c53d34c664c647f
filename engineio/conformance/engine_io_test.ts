/** The cases of the official Engine.IO 4 suite. */
import assert from "node:assert/strict";
import { held, PING_INTERVAL, PING_TIMEOUT, serveEngine, until } from "./harness.ts";
import { ask, conformanceTest, openPolling, openSession, openSocket, probe } from "./peer.ts";

const KEYS = ["maxPayload", "pingInterval", "pingTimeout", "sid", "upgrades"];
const OFFICIAL = { pingIntervalMs: PING_INTERVAL, pingTimeoutMs: PING_TIMEOUT };
/** Pings soon, and waits long for a pong. */
const EAGER = { pingIntervalMs: 50, pingTimeoutMs: 5000 };
/** Ends a silent session soon. */
const STRICT = { pingIntervalMs: 50, pingTimeoutMs: 50 };

conformanceTest("a polling handshake tells the session in exactly five keys", async () => {
  const server = serveEngine(undefined, OFFICIAL);
  const { status, text, headers } = await ask(`${server.url}?EIO=4&transport=polling`);
  assert.equal(status, 200);
  assert.equal(headers.get("cache-control"), "no-store");
  assert.equal(text[0], "0");
  const handshake = JSON.parse(text.slice(1));
  assert.deepEqual(Object.keys(handshake).sort(), KEYS);
  assert.match(handshake.sid, /^[\w-]{20,}$/);
  assert.deepEqual(handshake.upgrades, ["websocket"]);
  assert.equal(handshake.pingInterval, 300);
  assert.equal(handshake.pingTimeout, 200);
  assert.equal(handshake.maxPayload, 1_000_000);
  await server.close();
});

conformanceTest("a websocket handshake offers no upgrade", async () => {
  const server = serveEngine(undefined, OFFICIAL);
  const peer = openSocket(server.url);
  const text = String(await peer.next());
  assert.equal(text[0], "0");
  const handshake = JSON.parse(text.slice(1));
  assert.deepEqual(Object.keys(handshake).sort(), KEYS);
  assert.deepEqual(handshake.upgrades, []);
  assert.equal(handshake.pingInterval, 300);
  assert.equal(handshake.pingTimeout, 200);
  assert.equal(handshake.maxPayload, 1_000_000);
  await peer.close();
  await server.close();
});

const refusals: [what: string, query: string, method: string, code: number, message: string][] = [
  ["no version", "transport=polling", "GET", 5, "Unsupported protocol version"],
  ["version 3", "EIO=3&transport=polling", "GET", 5, "Unsupported protocol version"],
  [
    "no number for a version",
    "EIO=abc&transport=polling",
    "GET",
    5,
    "Unsupported protocol version",
  ],
  ["no transport", "EIO=4", "GET", 0, "Transport unknown"],
  ["an unknown transport", "EIO=4&transport=abc", "GET", 0, "Transport unknown"],
  ["a handshake by POST", "EIO=4&transport=polling", "POST", 2, "Bad handshake method"],
  ["a handshake by PUT", "EIO=4&transport=polling", "PUT", 2, "Bad handshake method"],
  ["a session nobody opened", "EIO=4&transport=polling&sid=abc", "GET", 1, "Session ID unknown"],
  ["an empty session id", "EIO=4&transport=polling&sid=", "GET", 1, "Session ID unknown"],
  ["a websocket without an upgrade", "EIO=4&transport=websocket", "GET", 3, "Bad request"],
];

conformanceTest("what is not a session's request is refused with engine.io's codes", async () => {
  const server = serveEngine();
  for (const [what, query, method, code, message] of refusals) {
    const { status, text } = await ask(`${server.url}?${query}`, { method });
    assert.equal(status, 400, what);
    assert.deepEqual(JSON.parse(text), { code, message }, what);
  }
  const peer = await openPolling(server.url);
  assert.equal((await ask(peer.url, { method: "DELETE" })).status, 400);
  assert.equal(server.engine.clientsCount, 1, "a bad method does not end the session");
  await server.close();
});

conformanceTest("a websocket with bad parameters is refused", async () => {
  const server = serveEngine();
  const queries: Record<string, string | null>[] = [
    { EIO: null },
    { EIO: "abc" },
    { transport: null },
    { transport: "abc" },
    { transport: "polling" },
    { sid: "abc" },
  ];
  for (const query of queries) {
    const peer = openSocket(server.url, query);
    await assert.rejects(peer.opened, JSON.stringify(query));
    await peer.closed;
  }
  assert.equal(server.engine.clientsCount, 0);
  await server.close();
});

for (
  const [what, payload] of [
    ["one text packet", "4hello"],
    ["several text packets", "4one\x1e4two\x1e4three"],
    ["text and binary packets", "4hello\x1ebAQIDBA=="],
    ["an empty text and text beyond ASCII", "4\x1e4žluťoučký 🐴"],
  ] as const
) {
  conformanceTest(`a POST of ${what} is taken, and a poll gets it back`, async () => {
    const server = serveEngine();
    const peer = await openPolling(server.url);
    const posted = await peer.post(payload);
    assert.deepEqual([posted.status, posted.text], [200, "ok"]);
    const polled = await peer.poll();
    assert.deepEqual([polled.status, polled.text], [200, payload]);
    await server.close();
  });
}

conformanceTest("a poll is held until there is something, and gets all of it", async () => {
  const server = serveEngine();
  const peer = await openPolling(server.url);
  const polled = peer.poll();
  await peer.post("4one\x1e4two");
  assert.equal((await polled).text, "4one\x1e4two");
  await server.close();
});

for (const body of ["abc", "", "4fine\x1eabc", "4fine\x1e", "b***", "7", "9later"]) {
  conformanceTest(`a POST of ${JSON.stringify(body)} ends the session`, async () => {
    const reasons: string[] = [];
    const server = serveEngine((socket) => socket.on("close", (reason) => reasons.push(reason)));
    const peer = await openPolling(server.url);
    assert.equal((await peer.post(body)).status, 400);
    assert.equal((await peer.poll()).status, 400);
    assert.deepEqual(reasons, ["parse error"]);
    await server.close();
  });
}

conformanceTest(
  "of two polls at once the first gets the close packet and the second is refused",
  async () => {
    const server = serveEngine();
    const peer = await openPolling(server.url);
    const statuses = await Promise.all([peer.poll(), peer.poll()]);
    statuses.sort((a, b) => a.status - b.status);
    assert.deepEqual(statuses.map(({ status }) => status), [200, 400]);
    assert.equal(statuses[0]!.text, "1");
    assert.equal((await peer.poll()).status, 400);
    await server.close();
  },
);

conformanceTest("a poll that its client gives up ends the session", async () => {
  const ended = Promise.withResolvers<string>();
  const server = serveEngine((socket) => socket.on("close", (reason) => ended.resolve(reason)));
  const peer = await openPolling(server.url);
  const controller = new AbortController();
  const polled = peer.poll({ signal: controller.signal });
  await held(server, peer.sid);
  controller.abort();
  await assert.rejects(polled);
  assert.equal(await ended.promise, "transport error");
  assert.equal((await peer.poll()).status, 400);
  await server.close();
});

conformanceTest("text and binary frames come back as they were", async () => {
  const server = serveEngine();
  const peer = await openSession(server.url);
  peer.send("4hello");
  assert.equal(await peer.next(), "4hello");
  peer.send(Uint8Array.from([1, 2, 3, 4]));
  assert.deepEqual(await peer.next(), Uint8Array.from([1, 2, 3, 4]));
  peer.send(new Uint8Array());
  assert.deepEqual(await peer.next(), new Uint8Array());
  await peer.close();
  await server.close();
});

for (const frame of ["abc", "", "7", "bAQID"]) {
  conformanceTest(`a frame ${JSON.stringify(frame)} ends the session`, async () => {
    const reasons: string[] = [];
    const server = serveEngine((socket) => socket.on("close", (reason) => reasons.push(reason)));
    const peer = await openSession(server.url);
    peer.send(frame);
    await peer.closed;
    assert.deepEqual(reasons, ["parse error"]);
    await server.close();
  });
}

conformanceTest("a polling client that answers pings stays", async () => {
  const server = serveEngine(undefined, EAGER);
  const peer = await openPolling(server.url);
  for (let i = 0; i < 3; i++) {
    assert.equal((await peer.poll()).text, "2");
    assert.equal((await peer.post("3")).status, 200);
  }
  assert.equal(server.engine.clientsCount, 1);
  await server.close();
});

conformanceTest("a websocket client that answers pings stays", async () => {
  const server = serveEngine(undefined, EAGER);
  const peer = await openSession(server.url);
  for (let i = 0; i < 3; i++) {
    assert.equal(await peer.next(), "2");
    peer.send("3");
  }
  assert.equal(server.engine.clientsCount, 1);
  await peer.close();
  await server.close();
});

conformanceTest("a polling client that goes silent is closed by the ping timeout", async () => {
  const ended = Promise.withResolvers<string>();
  const server = serveEngine((socket) => socket.on("close", (reason) => ended.resolve(reason)), {
    ...STRICT,
  });
  const peer = await openPolling(server.url);
  assert.equal(await ended.promise, "ping timeout");
  const { status, text } = await peer.poll();
  assert.equal(status, 400);
  assert.equal(JSON.parse(text).code, 1);
  assert.equal(server.engine.clientsCount, 0);
  await server.close();
});

conformanceTest("a client that polls and never answers a ping is closed, too", async () => {
  const server = serveEngine(undefined, STRICT);
  const peer = await openPolling(server.url);
  assert.equal((await peer.poll()).text, "2");
  const last = await peer.poll();
  assert.deepEqual([last.status, last.text], [200, "1"]);
  assert.equal(server.engine.clientsCount, 0);
  await server.close();
});

conformanceTest("a websocket client that goes silent is closed by the ping timeout", async () => {
  const ended = Promise.withResolvers<string>();
  const server = serveEngine((socket) => socket.on("close", (reason) => ended.resolve(reason)), {
    ...STRICT,
  });
  const peer = await openSession(server.url);
  assert.equal(await ended.promise, "ping timeout");
  await peer.closed;
  assert.equal(server.engine.clientsCount, 0);
  await server.close();
});

conformanceTest("a client that pings, which only the server may, is closed", async () => {
  const server = serveEngine();
  const socket = await openSession(server.url);
  socket.send("2");
  await socket.closed;
  const peer = await openPolling(server.url);
  await peer.post("2");
  assert.equal((await peer.poll()).status, 400);
  await server.close();
});

conformanceTest("a polling client that closes has its poll ended with a noop", async () => {
  const reasons: string[] = [];
  const server = serveEngine((socket) => socket.on("close", (reason) => reasons.push(reason)));
  const peer = await openPolling(server.url);
  const polled = peer.poll();
  await held(server, peer.sid);
  const posted = await peer.post("1");
  assert.deepEqual([posted.status, posted.text], [200, "ok"]);
  const { status, text } = await polled;
  assert.deepEqual([status, text], [200, "6"]);
  assert.equal((await peer.poll()).status, 400);
  assert.deepEqual(reasons, ["transport close"]);
  await server.close();
});

conformanceTest("a poll that the end of its session overtakes gets its noop, too", async () => {
  const { promise: ended, resolve } = Promise.withResolvers<string>();
  const server = serveEngine((socket) => socket.on("close", resolve));
  const peer = await openPolling(server.url);
  await peer.post("4hello\x1e1");
  assert.equal((await peer.post("4too late")).text, "ok");
  assert.equal((await peer.poll()).text, "6");
  assert.equal(await ended, "transport close");
  assert.equal((await peer.poll()).status, 400);
  const second = await openPolling(server.url);
  await second.post("1");
  await until(() => server.engine.clientsCount === 0, "A session waits for a poll for ever");
  await server.close();
});

conformanceTest("a websocket client that sends the close packet is closed", async () => {
  const reasons: string[] = [];
  const server = serveEngine((socket) => socket.on("close", (reason) => reasons.push(reason)));
  const peer = await openSession(server.url);
  peer.send("1");
  await peer.closed;
  assert.deepEqual(reasons, ["transport close"]);
  await server.close();
});

conformanceTest("a session changes from polling to websocket", async () => {
  const upgrades: string[] = [];
  const server = serveEngine((socket) => {
    socket.on("data", (data) => socket.send(data));
    socket.on("upgrading", ({ name }) => upgrades.push(`to ${name}`));
    socket.on("upgrade", ({ name }) => upgrades.push(name));
  });
  const peer = await openPolling(server.url);
  const polled = peer.poll();
  await held(server, peer.sid);
  const socket = await probe(server.url, peer.sid);
  const { status, text } = await polled;
  assert.deepEqual([status, text], [200, "6"], "the poll that was held is ended");
  assert.equal((await peer.poll()).text, "6", "and so is one that comes after the probe");
  socket.send("5");
  socket.send("4hello");
  assert.equal(await socket.next(), "4hello");
  assert.deepEqual(upgrades, ["to websocket", "websocket"]);
  await socket.close();
  await server.close();
});

conformanceTest("what waits for a poll goes over the websocket after the change", async () => {
  const server = serveEngine();
  const peer = await openPolling(server.url);
  await peer.post("4one\x1ebAQID\x1e4three");
  const socket = await probe(server.url, peer.sid);
  socket.send("5");
  socket.send("4four");
  assert.equal(await socket.next(), "4one");
  assert.deepEqual(await socket.next(), Uint8Array.from([1, 2, 3]));
  assert.equal(await socket.next(), "4three");
  assert.equal(await socket.next(), "4four");
  await socket.close();
  await server.close();
});

conformanceTest(
  "polls and POSTs of an upgraded session are refused and change nothing",
  async () => {
    const server = serveEngine();
    const peer = await openPolling(server.url);
    const socket = await probe(server.url, peer.sid);
    socket.send("5");
    socket.send("4upgraded");
    assert.equal(await socket.next(), "4upgraded");
    assert.equal((await peer.poll()).status, 400);
    assert.equal((await peer.post("4intruder")).status, 400);
    socket.send("4hello");
    assert.equal(await socket.next(), "4hello");
    await socket.close();
    await server.close();
  },
);

conformanceTest(
  "a second websocket for a session is accepted, closed, and changes nothing",
  async () => {
    const server = serveEngine();
    const peer = await openPolling(server.url);
    const first = await probe(server.url, peer.sid);
    const during = openSocket(server.url, { sid: peer.sid });
    await during.opened;
    during.send("2probe");
    await assert.rejects(during.next(), "closed without an answer");
    first.send("5");
    const after = openSocket(server.url, { sid: peer.sid });
    await after.opened;
    await after.closed;
    first.send("4hello");
    assert.equal(await first.next(), "4hello");
    await first.close();
    await server.close();
  },
);
