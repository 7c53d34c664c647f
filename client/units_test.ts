import assert from "node:assert/strict";
import { backoffDelay } from "./backoff.ts";
import { createEmitter } from "./emitter.ts";
import { createHeartbeat } from "./heartbeat.ts";
import { createOutboxStorage } from "./outbox_storage.ts";
import { createRateBucket } from "./rate_bucket.ts";
import { socketUrl } from "./socket.ts";
import { memoryStorage } from "./test_server.ts";
import { deliveryStatus, furthest, NO_POINTERS, withMessage } from "./thread.ts";
import { createTypingSender, createTypists } from "./typing.ts";
import { makeMessage } from "./test_server.ts";
import { withFakeTime } from "../tests/support/fake_time.ts";

const options = { minDelayMs: 1_000, maxDelayMs: 30_000 };

Deno.test("the wait doubles from 1 s and stops at 30 s, half of it random", () => {
  const longest = [0, 1, 2, 3, 4, 5, 6, 99].map((n) => backoffDelay(n, options, () => 1));
  assert.deepEqual(longest, [1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000]);
  assert.deepEqual([0, 5].map((n) => backoffDelay(n, options, () => 0)), [500, 15_000]);
});

Deno.test("a handler that throws or rejects affects nothing else and is reported", async () => {
  const reported: unknown[] = [];
  const emitter = createEmitter<{ a: number }>((error) => reported.push(error));
  const seen: number[] = [];
  emitter.on("a", () => {
    throw new Error("thrown");
  });
  emitter.on("a", () => Promise.reject(new Error("rejected")));
  const off = emitter.on("a", (value) => seen.push(value));
  emitter.emit("a", 1);
  off();
  emitter.emit("a", 2);
  await Promise.resolve();
  assert.deepEqual(seen, [1]);
  assert.equal(reported.length, 4);
});

Deno.test("silence leads to a ping, and more silence to the end of the connection", async () => {
  const events: string[] = [];
  await withFakeTime(async ({ pass }) => {
    const beat = createHeartbeat(30, () => events.push("ping"), () => events.push("dead"));
    await pass(45);
    assert.deepEqual(events, ["ping"]);
    beat.received();
    await pass(20);
    assert.deepEqual(events, ["ping"]);
    await pass(60);
    assert.deepEqual(events, ["ping", "ping", "dead"]);
    beat.stop();
  });
});

Deno.test("after a sleep a connection has to prove itself alive within half a second", async () => {
  for (const [sleep, dead] of [[10_000, false], [1_000_000, true]] as const) {
    const events: string[] = [];
    let now = 0;
    await withFakeTime(async ({ pass }) => {
      const beat = createHeartbeat(
        30_000,
        () => events.push("ping"),
        () => events.push("dead"),
        () => now,
      );
      // No timer fires meanwhile.
      now += sleep;
      beat.check(3_000);
      await pass(600);
      assert.deepEqual(events, dead ? ["ping", "dead"] : ["ping"]);
      beat.stop();
    });
  }
});

Deno.test("the rate bucket allows a minute's worth at once and says how long to wait for the next", () => {
  let now = 1_000_000;
  const bucket = createRateBucket(() => now);
  bucket.fill(60);
  for (let count = 0; count < 60; count++) {
    assert.equal(bucket.waitMs(), 0);
    bucket.take();
  }
  assert.equal(bucket.waitMs(), 1_000);
  now += 400;
  assert.equal(bucket.waitMs(), 600);
  // After the clock was set back, nobody has to wait longer.
  now -= 100_000;
  assert.equal(bucket.waitMs(), 600);
  now += 600;
  assert.equal(bucket.waitMs(), 0);
  now += 600_000;
  bucket.take();
  for (let count = 0; count < 59; count++) bucket.take();
  assert.equal(bucket.waitMs(), 1_000);
});

Deno.test("addresses of every form lead to the socket", () => {
  assert.equal(socketUrl("https://a.example"), "wss://a.example/realtime");
  assert.equal(socketUrl("http://a.example:81/base/"), "ws://a.example:81/base/realtime");
  assert.equal(socketUrl("wss://a.example/realtime"), "wss://a.example/realtime");
});

Deno.test("entries of two tabs do not overwrite one another, with and without listing", () => {
  const full = memoryStorage();
  const { getItem, setItem, removeItem } = memoryStorage();
  for (const storage of [full, { getItem, setItem, removeItem }]) {
    const [one, two] = [createOutboxStorage(storage, "k"), createOutboxStorage(storage, "k")];
    const entry = (id: string, order: number) => ({
      clientMessageId: id,
      content: id,
      isPrivate: false,
      createdAt: "",
      state: "sending" as const,
      order,
    });
    one.save(entry("b", 2));
    two.save(entry("a", 1));
    one.save(entry("c", 3));
    two.remove("c");
    const ids = createOutboxStorage(storage, "k").load().map((e) => e.clientMessageId);
    assert.deepEqual(ids, ["a", "b"]);
  }
});

Deno.test("a storage that throws leaves the outbox in memory", () => {
  const broken = () => {
    throw new Error("blocked");
  };
  const storage = createOutboxStorage(
    { getItem: broken, setItem: broken, removeItem: broken, key: broken, length: 3 },
    "k",
  );
  assert.deepEqual(storage.load(), []);
  storage.remove("x");
});

Deno.test("typing is sent at most every 2 s, and its end at once", () => {
  let now = 0;
  const sent: boolean[] = [];
  const sender = createTypingSender((isTyping) => sent.push(isTyping), () => now);
  sender.typing(false);
  for (now = 0; now <= 4_000; now += 100) sender.typing(true);
  assert.deepEqual(sent, [true, true, true]);
  sender.typing(false);
  sender.typing(false);
  assert.deepEqual(sent, [true, true, true, false]);
});

Deno.test("switching from a reply to a note is sent at once", () => {
  const sent: [boolean, boolean][] = [];
  const sender = createTypingSender((...typing) => sent.push(typing), () => 0);
  sender.typing(true);
  sender.typing(true, true);
  sender.typing(true, true);
  sender.typing(false, true);
  assert.deepEqual(sent, [[true, false], [true, true], [false, true]]);
});

Deno.test("messages are ordered by seq, replaced by id, and show their delivery", () => {
  const [one, two, three] = [1, 2, 3].map((seq) => makeMessage(seq, `m${seq}`, "visitor-1"));
  let list = withMessage(withMessage(withMessage([], three!), one!), two!);
  assert.deepEqual(list.map((m) => m.seq), [1, 2, 3]);
  list = withMessage(list, { ...two!, content: "new" });
  assert.deepEqual(list.map((m) => m.content), ["m1", "new", "m3"]);
  const pointers = furthest(
    { ...NO_POINTERS, agentDeliveredSeq: 2 },
    { ...NO_POINTERS, agentReadSeq: 1 },
  );
  assert.deepEqual(list.map((m) => deliveryStatus(m, pointers)), ["read", "delivered", "sent"]);
});

Deno.test("typing ends by itself when no event ends it", async () => {
  let changes = 0;
  const member = { userId: "a", userName: "Ada", role: "agent" as const };
  await withFakeTime(async ({ pass }) => {
    const typists = createTypists(() => changes++, 30);
    typists.set(member, true);
    await pass(20);
    typists.set(member, true);
    await pass(20);
    assert.deepEqual(typists.list(), [member]);
    await pass(30);
    assert.deepEqual(typists.list(), []);
  });
  assert.equal(changes, 2);
});
