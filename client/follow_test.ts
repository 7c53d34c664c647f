import assert from "node:assert/strict";
import { createFollower } from "./follow.ts";
import type { ParleyCore } from "./parley_core.ts";
import { pause, withServer } from "./test_client.ts";
import { CONVERSATION, type Peer, type TestServer, until } from "./test_server.ts";

/** Follows the test conversation and records the events. */
function listen(client: ParleyCore) {
  const heard: string[] = [];
  const follower = createFollower(client, CONVERSATION, {
    event: (type, data) => heard.push(`${type} ${data.seq}`),
    joined: ({ seq, recovered }) => heard.push(`joined ${seq}${recovered ? " recovered" : ""}`),
    failed: ({ code }) => heard.push(`failed ${code}`),
  });
  return { heard, follower };
}

/** Appends to the log without sending an event. */
function postSilently(server: TestServer, content: string) {
  const joined = [...server.peers].map((peer) => [peer, peer.joined] as const);
  for (const [peer] of joined) peer.joined = new Set();
  server.post(content);
  for (const [peer, rooms] of joined) peer.joined = rooms;
}

function beat(peer: Peer, seq: number) {
  const serverTime = new Date().toISOString();
  peer.event("heartbeat", { serverTime, positions: { [CONVERSATION]: seq } });
}

Deno.test("the log arrives in order and once, across lost connections and gaps", () =>
  withServer(async (server, open) => {
    server.post("one");
    const client = open();
    const { heard, follower } = listen(client);
    follower.start();
    await client.connect();
    await until(() => heard.length === 1, "joined");
    server.post("two");
    await until(() => heard.length === 2, "two");
    for (const peer of server.peers) peer.close(3011);
    server.post("three");
    await until(() => heard.length === 4, "recovered");
    postSilently(server, "four");
    server.post("five");
    await until(() => heard.length === 7, "the gap is filled");
    assert.deepEqual(heard, [
      "joined 1",
      "message 2",
      "message 3",
      "joined 3 recovered",
      "message 4",
      "message 5",
      "joined 5 recovered",
    ]);
    follower.stop();
    await until(() => server.of("leave").length === 1, "left");
    server.post("six");
    await pause(30);
    assert.equal(follower.seq, 5);
  }));

Deno.test("a heartbeat finds the last event that a quiet room lost", () =>
  withServer(async (server, open) => {
    const client = open();
    const { heard, follower } = listen(client);
    follower.start();
    await client.connect();
    await until(() => heard.length === 1, "joined");
    postSilently(server, "lost");
    const [peer] = server.peers;
    // No matter how often they arrive.
    const beating = setInterval(beat, 300, peer!, 1);
    await until(() => follower.seq === 1, "found").finally(() => clearInterval(beating));
    assert.deepEqual(heard, ["joined 0", "message 1", "joined 1 recovered"]);
    const [, again] = server.of("join");
    assert.deepEqual(again!.data, { conversationId: CONVERSATION, epoch: "first", seq: 0 });
  }));

Deno.test("an event shortly after the heartbeat that names it causes no join", () =>
  withServer(async (server, open) => {
    const client = open();
    const { follower } = listen(client);
    follower.start();
    await client.connect();
    await until(() => server.of("join").length === 1, "joined");
    const [peer] = server.peers;
    beat(peer!, 1);
    await pause(50);
    server.post("late");
    beat(peer!, 1);
    await until(() => follower.seq === 1, "it came");
    await pause(2_300);
    assert.equal(server.of("join").length, 1);
  }));

Deno.test("stopped and started again before the answer, it still joins", () =>
  withServer(async (server, open) => {
    server.post("one");
    const client = open();
    await client.connect();
    const { heard, follower } = listen(client);
    follower.start();
    follower.stop();
    follower.start();
    await until(() => heard.length === 1, "joined");
    await until(() => server.of("join").length === 2, "asked twice");
    assert.deepEqual(
      server.commands.slice(1).map(({ type }) => type),
      ["join", "leave", "join"],
    );
    server.post("two");
    await until(() => follower.seq === 2, "follows");
    assert.deepEqual(heard, ["joined 1", "message 2"]);
  }));

Deno.test("a join that fails temporarily is tried again, a forbidden one is not", () =>
  withServer(async (server, open) => {
    const codes = ["overloaded", "forbidden"];
    server.intercept = (command, peer) => {
      if (command.type !== "join") return false;
      server.refuse(peer, command, codes.shift()!, 10);
      return true;
    };
    const client = open();
    const { heard, follower } = listen(client);
    follower.start();
    await client.connect();
    await until(() => heard.length === 1, "failed");
    assert.deepEqual(heard, ["failed forbidden"]);
    await pause(50);
    assert.equal(server.of("join").length, 2);
  }));

Deno.test("an error in a handler is reported and stops nothing", async () => {
  const { error } = console;
  const reported: unknown[] = [];
  console.error = (...all: unknown[]) => void reported.push(all.at(-1));
  try {
    await withServer(async (server, open) => {
      server.post("one");
      const client = open();
      const seen: number[] = [];
      const follower = createFollower(client, CONVERSATION, {
        event: (_type, { seq }) => {
          seen.push(seq);
          throw new Error("thrown");
        },
        joined: () => {
          throw new Error("thrown");
        },
        failed: () => {},
      });
      follower.start();
      await client.connect();
      await until(() => reported.length === 1, "joined");
      server.post("two");
      server.post("three");
      await until(() => seen.length === 2, "both");
      assert.equal(server.of("join").length, 1);
      assert.equal(reported.length, 3);
    });
  } finally {
    console.error = error;
  }
});
