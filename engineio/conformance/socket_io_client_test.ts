/** The official socket.io-client against socket.io on this engine, over every transport. */
import assert from "node:assert/strict";
import {
  io as connect,
  type ManagerOptions,
  type Socket,
  type SocketOptions,
} from "socket.io-client";
import { type Harness, serveSocketIo, until } from "./harness.ts";

type Options = Partial<ManagerOptions & SocketOptions>;

/**
 * Without sanitizers over polling, because the client's XMLHttpRequest for servers leaves a timer
 * when a request ends. The other tests use them.
 */
function clientTest(name: string, fn: () => Promise<void>): void {
  const strict = name.startsWith("websocket:");
  Deno.test({ name, fn, sanitizeOps: strict, sanitizeResources: strict });
}

/** The first arguments of an event from now on. */
// deno-lint-ignore no-explicit-any
function once(socket: Socket, event: string): Promise<any[]> {
  return new Promise((resolve) => socket.once(event, (...args) => resolve(args)));
}

async function connected(client: Socket): Promise<void> {
  if (!client.connected) await once(client, "connect");
}

async function closeAll(server: Harness, ...clients: Socket[]): Promise<void> {
  const gone = clients.filter((client) => client.connected)
    .map((client) => once(client, "disconnect"));
  for (const client of clients) client.disconnect();
  await Promise.all(gone);
  await until(() => server.engine.clientsCount === 0, "A session is left");
  await server.close();
}

const WAYS: [name: string, transports: ("polling" | "websocket")[]][] = [
  // First, while no timer of the others is pending.
  ["websocket", ["websocket"]],
  ["polling", ["polling"]],
  ["polling, then websocket", ["polling", "websocket"]],
];

for (const [way, transports] of WAYS) {
  const open = (server: Harness, options: Options = {}, namespace = "/"): Socket =>
    connect(new URL(namespace, server.url).href, {
      transports,
      forceNew: true,
      reconnectionDelay: 10,
      reconnectionDelayMax: 20,
      ...options,
    });

  clientTest(
    `${way}: a client connects, upgrades where it can, and is gone after`,
    async () => {
      const server = serveSocketIo();
      const client = open(server, { auth: { token: "123" } });
      const auth = once(client, "auth");
      await connected(client);
      assert.deepEqual(await auth, [{ token: "123" }]);
      const last = transports.at(-1)!;
      await until(() => client.io.engine.transport.name === last, `It does not use ${last}`);
      client.emit("message", "after");
      assert.deepEqual(await once(client, "message-back"), ["after"]);
      const [own] = server.sockets.values();
      assert.equal(own!.transport.name, last);
      await closeAll(server, client);
    },
  );

  clientTest(`${way}: namespaces share a connection, an unknown one is refused`, async () => {
    const server = serveSocketIo();
    const main = open(server);
    const custom = main.io.socket("/custom");
    const unknown = main.io.socket("/random");
    const [error] = await once(unknown, "connect_error");
    assert.equal(error.message, "Invalid namespace");
    unknown.disconnect();
    await connected(custom);
    custom.emit("message", "custom");
    assert.deepEqual(await once(custom, "message-back"), ["custom"]);
    assert.equal(server.engine.clientsCount, 1);
    await closeAll(server, custom, main);
  });

  clientTest(`${way}: acks both ways`, async () => {
    const answers: unknown[] = [];
    const server = serveSocketIo((io) => {
      io.on("connection", (socket) => {
        socket.on("ask-me", async () => {
          answers.push(await socket.timeout(5000).emitWithAck("question", 1));
          socket.emit("asked");
        });
      });
    });
    const client = open(server);
    await connected(client);
    client.on("question", (number, answer) => answer(number + 1));
    assert.equal(await client.emitWithAck("message-with-ack", "alone"), "alone");
    client.emit("ask-me");
    await once(client, "asked");
    assert.deepEqual(answers, [2]);
    await closeAll(server, client);
  });

  clientTest(`${way}: bytes both ways, alone, within, and in acks`, async () => {
    const server = serveSocketIo();
    const client = open(server);
    await connected(client);
    const bytes = Uint8Array.from({ length: 1000 }, (_, i) => i % 256);
    client.emit("message", bytes, { within: [bytes.slice(0, 3)] }, "text");
    const [alone, { within }, text] = await once(client, "message-back");
    assert.deepEqual(new Uint8Array(alone), bytes);
    assert.deepEqual(new Uint8Array(within[0]), bytes.slice(0, 3));
    assert.equal(text, "text");
    const acked = await client.emitWithAck("message-with-ack", bytes);
    assert.deepEqual(new Uint8Array(acked), bytes);
    await closeAll(server, client);
  });

  clientTest(`${way}: big messages, up to what each side takes`, async () => {
    const big = "é🐴".repeat(1_000_000);
    const server = serveSocketIo((io) => {
      io.on("connection", (socket) => socket.on("big", (answer) => answer(big)));
    });
    const client = open(server);
    await connected(client);
    const nearly = "x".repeat(900_000);
    assert.deepEqual(await client.emitWithAck("message-with-ack", nearly), nearly);
    assert.ok(await client.emitWithAck("big") === big, "the message is not the same");
    await closeAll(server, client);
  });

  clientTest(`${way}: many messages at once, in order, also while upgrading`, async () => {
    const server = serveSocketIo((io) => {
      io.on("connection", (socket) => {
        for (let i = 0; i < 500; i++) socket.emit("number", i);
      });
    });
    const client = open(server);
    const numbers: number[] = [];
    const echoes: number[] = [];
    client.on("number", (number) => numbers.push(number));
    client.on("message-back", (number) => echoes.push(number));
    await connected(client);
    for (let i = 0; i < 500; i++) client.emit("message", i);
    await until(() => numbers.length >= 500 && echoes.length >= 500, "A message is missing");
    const expected = Array.from({ length: 500 }, (_, i) => i);
    assert.deepEqual(numbers, expected);
    assert.deepEqual(echoes, expected);
    await closeAll(server, client);
  });

  clientTest(`${way}: a client that the server disconnects is told why`, async () => {
    const server = serveSocketIo((io) => {
      io.on("connection", (socket) => socket.on("out", () => socket.disconnect(true)));
    });
    const client = open(server);
    await connected(client);
    client.emit("out");
    const [reason] = await once(client, "disconnect");
    assert.equal(reason, "io server disconnect");
    await closeAll(server, client);
  });

  clientTest(`${way}: the server is told why a client has gone`, async () => {
    const reasons: string[] = [];
    const server = serveSocketIo((io) => {
      io.on("connection", (socket) => socket.on("disconnect", (reason) => reasons.push(reason)));
    });
    const leaving = open(server);
    await connected(leaving);
    leaving.disconnect();
    await until(() => reasons.length === 1, "The server did not notice");
    const cut = open(server, { reconnection: false });
    await connected(cut);
    cut.io.engine.close();
    await until(() => reasons.length === 2, "The server did not notice");
    assert.deepEqual(reasons, ["client namespace disconnect", "transport close"]);
    await closeAll(server, leaving, cut);
  });

  clientTest(`${way}: a client that is cut off comes back`, async () => {
    const server = serveSocketIo();
    const client = open(server);
    await connected(client);
    const first = client.id;
    for (let i = 0; i < 3; i++) {
      const back = once(client, "connect");
      for (const socket of server.sockets.values()) socket.close(true);
      await back;
    }
    assert.notEqual(client.id, first);
    client.emit("message", "again");
    assert.deepEqual(await once(client, "message-back"), ["again"]);
    await closeAll(server, client);
  });

  clientTest(`${way}: a volatile event arrives at a peer that keeps up`, async () => {
    const server = serveSocketIo((io) => {
      io.on("connection", (socket) => {
        socket.on("go", () => {
          // A polling client is written to while it polls.
          const send = () => {
            if (socket.conn.transport.writable) socket.volatile.emit("maybe", "here");
            else setTimeout(send, 1);
          };
          send();
        });
      });
    });
    const client = open(server);
    await connected(client);
    client.emit("go");
    assert.deepEqual(await once(client, "maybe"), ["here"]);
    await closeAll(server, client);
  });

  clientTest(`${way}: a heartbeat keeps a client that has nothing to say`, async () => {
    const server = serveSocketIo(undefined, { pingIntervalMs: 50, pingTimeoutMs: 5000 });
    const client = open(server);
    await connected(client);
    let beats = 0;
    for (const socket of server.sockets.values()) socket.on("heartbeat", () => beats++);
    await until(() => beats >= 3, "The client does not answer pings");
    assert.ok(client.connected);
    await closeAll(server, client);
  });

  clientTest(`${way}: fifty clients, each of which gets everything`, async () => {
    const server = serveSocketIo((io) => {
      io.on("connection", (socket) => socket.on("all", (text) => io.emit("everyone", text)));
    });
    const clients = Array.from({ length: 50 }, () => open(server));
    await Promise.all(clients.map(connected));
    const got = clients.map(() => [] as string[]);
    clients.forEach((client, i) => client.on("everyone", (text) => got[i]!.push(text)));
    clients.forEach((client, i) => client.emit("all", `from ${i}`));
    await until(() => got.every((texts) => texts.length >= 50), "A message is missing");
    const expected = clients.map((_, i) => `from ${i}`).sort();
    for (const texts of got) {
      assert.deepEqual(texts, got[0], "everyone sees the same order");
      assert.deepEqual(texts.toSorted(), expected);
    }
    await closeAll(server, ...clients);
  });
}

clientTest("a volatile event to a client that does not poll now is dropped", async () => {
  const server = serveSocketIo((io) => {
    io.on("connection", (socket) => {
      socket.on("go", () => {
        socket.emit("sure", 1);
        // The poll is answered with the first, and the second has nothing to go out with.
        queueMicrotask(() =>
          queueMicrotask(() => {
            socket.volatile.emit("maybe");
            socket.emit("sure", 2);
          })
        );
      });
    });
  });
  const client = connect(new URL("/", server.url).href, {
    transports: ["polling"],
    forceNew: true,
  });
  await connected(client);
  const [own] = server.sockets.values();
  const got: string[] = [];
  client.onAny((event, number) => got.push(`${event} ${number}`));
  await until(() => own!.transport.writable, "The client does not poll");
  client.emit("go");
  await until(() => got.includes("sure 2"), "The last message is missing");
  assert.deepEqual(got.filter((text) => !text.startsWith("auth")), ["sure 1", "sure 2"]);
  await closeAll(server, client);
});
