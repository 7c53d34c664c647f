/** Socket.IO 5 (the protocol; the library's version is 4) on this engine, frame by frame. */
import assert from "node:assert/strict";
import { serveSocketIo } from "./harness.ts";
import { conformanceTest, openPolling, openSession, probe, type SocketPeer } from "./peer.ts";

/** A websocket that is connected to the main namespace. */
async function connected(url: string): Promise<SocketPeer> {
  const peer = await openSession(url);
  peer.send("40");
  assert.match(String(await peer.next()), /^40\{"sid":"[\w-]+"\}$/);
  assert.equal(await peer.next(), '42["auth",{}]');
  return peer;
}

for (
  const [what, packet, prefix, auth] of [
    ["the main namespace", "40", "40", '42["auth",{}]'],
    ["it with a payload", '40{"token":"123"}', "40", '42["auth",{"token":"123"}]'],
    ["a custom namespace", "40/custom,", "40/custom,", '42/custom,["auth",{}]'],
    [
      "that with a payload",
      '40/custom,{"token":"abc"}',
      "40/custom,",
      '42/custom,["auth",{"token":"abc"}]',
    ],
  ] as const
) {
  conformanceTest(`a client connects to ${what}`, async () => {
    const server = serveSocketIo();
    const peer = await openSession(server.url);
    peer.send(packet);
    const answer = String(await peer.next());
    assert.ok(answer.startsWith(prefix), answer);
    const handshake = JSON.parse(answer.slice(prefix.length));
    assert.deepEqual(Object.keys(handshake), ["sid"]);
    assert.equal(typeof handshake.sid, "string");
    assert.ok(!server.sockets.has(handshake.sid), "the session's own id stays secret");
    assert.equal(await peer.next(), auth);
    await peer.close();
    await server.close();
  });
}

conformanceTest("an unknown namespace is refused and the session goes on", async () => {
  const server = serveSocketIo();
  const peer = await openSession(server.url);
  peer.send("40/random");
  assert.equal(await peer.next(), '44/random,{"message":"Invalid namespace"}');
  peer.send("40");
  assert.match(String(await peer.next()), /^40\{/);
  await peer.close();
  await server.close();
});

for (const packet of ["4abc", "42", '42["message"]', "41", '40["list"]', "40/custom,null"]) {
  conformanceTest(`a client that begins with ${packet} is closed`, async () => {
    const server = serveSocketIo();
    const peer = await openSession(server.url);
    peer.send(packet);
    await peer.closed;
    await server.close();
  });
}

conformanceTest("a client that never connects to a namespace is closed", async () => {
  const server = serveSocketIo();
  const peer = await openSession(server.url);
  await peer.closed;
  assert.equal(server.engine.clientsCount, 0);
  await server.close();
});

conformanceTest(
  "a disconnect from a namespace is not answered, and leaves the others",
  async () => {
    const server = serveSocketIo();
    const peer = await connected(server.url);
    peer.send("40/custom");
    assert.match(String(await peer.next()), /^40\/custom,\{/);
    assert.equal(await peer.next(), '42/custom,["auth",{}]');
    peer.send("41/custom");
    peer.send('42["message","to the main namespace"]');
    assert.equal(await peer.next(), '42["message-back","to the main namespace"]');
    await peer.close();
    await server.close();
  },
);

conformanceTest("after a disconnect from the only namespace the heartbeat goes on", async () => {
  const server = serveSocketIo(undefined, { pingIntervalMs: 50, pingTimeoutMs: 5000 });
  const peer = await connected(server.url);
  peer.send("41");
  assert.equal(await peer.next(), "2");
  peer.send("3");
  assert.equal(await peer.next(), "2");
  await peer.close();
  await server.close();
});

const MESSAGES: [what: string, sent: (string | number[])[], back: (string | number[])[]][] = [
  [
    "plain text",
    ['42["message",1,"2",{"3":[true]}]'],
    ['42["message-back",1,"2",{"3":[true]}]'],
  ],
  [
    "plain text with an ack",
    ['42456["message-with-ack",1,"2",{"3":[false]}]'],
    ['43456[1,"2",{"3":[false]}]'],
  ],
  [
    "two attachments",
    [
      '452-["message",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]',
      [1, 2, 3],
      [4, 5, 6],
    ],
    [
      '452-["message-back",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]',
      [1, 2, 3],
      [4, 5, 6],
    ],
  ],
  [
    "two attachments with an ack",
    [
      '452-789["message-with-ack",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]',
      [1, 2, 3],
      [4, 5, 6],
    ],
    [
      '462-789[{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]',
      [1, 2, 3],
      [4, 5, 6],
    ],
  ],
];

for (const [what, sent, back] of MESSAGES) {
  conformanceTest(`a packet of ${what} is taken and answered`, async () => {
    const server = serveSocketIo();
    const peer = await connected(server.url);
    for (const frame of sent) peer.send(typeof frame === "string" ? frame : Uint8Array.from(frame));
    for (const frame of back) {
      assert.deepEqual(
        await peer.next(),
        typeof frame === "string" ? frame : Uint8Array.from(frame),
      );
    }
    await peer.close();
    await server.close();
  });
}

for (
  const [what, packet] of [
    ["an unknown type", "4abc"],
    ["a payload that is not a list", "42{}"],
    ["an ack that is not a number", '42abc["message-with-ack",1]'],
    ["JSON with no end", '42["message"'],
    ["attachments without a number", '45-["message",{"_placeholder":true,"num":0}]'],
    ["a placeholder of no attachment", '451-["message",{"_placeholder":true,"num":5}]'],
  ] as const
) {
  conformanceTest(`a packet of ${what} ends the connection`, async () => {
    const server = serveSocketIo();
    const peer = await connected(server.url);
    peer.send(packet);
    // Complete only with its attachment, where it announces one.
    if (packet.startsWith("451-")) peer.send(Uint8Array.from([1]));
    await peer.closed;
    await server.close();
  });
}

conformanceTest("the same over polling, and an upgrade in the middle of it", async () => {
  const server = serveSocketIo();
  const peer = await openPolling(server.url);
  await peer.post('40{"token":"123"}');
  const [answer, auth] = (await peer.poll()).text.split("\x1e");
  assert.match(answer!, /^40\{"sid":/);
  assert.equal(auth ?? (await peer.poll()).text, '42["auth",{"token":"123"}]');
  await peer.post('451-7["message-with-ack",{"_placeholder":true,"num":0}]\x1ebAQID');
  assert.equal((await peer.poll()).text, '461-7[{"_placeholder":true,"num":0}]\x1ebAQID');
  await peer.post('42["message","before"]');
  const socket = await probe(server.url, peer.sid);
  socket.send("5");
  socket.send('42["message","after"]');
  assert.equal(await socket.next(), '42["message-back","before"]');
  assert.equal(await socket.next(), '42["message-back","after"]');
  await socket.close();
  await server.close();
});
