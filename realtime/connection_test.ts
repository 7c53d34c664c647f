import assert from "node:assert/strict";
import { yieldToEventLoop } from "../domain/event_loop.ts";
import { bareConnection } from "../tests/support/bare_connection.ts";

/** Blocks for longer than one turn of a connection. */
function beBusy(): void {
  const until = performance.now() + 10;
  while (performance.now() < until);
}

function connect() {
  const handled: string[] = [];
  const errors: unknown[] = [];
  const connection = bareConnection({
    socket: { readyState: 1, bufferedAmount: 0, send() {}, close() {} },
    protocol: {
      name: "busy",
      batching: false,
      follows: "itself",
      onOpen() {},
      authFrame: () => "",
      onFrame(_connection, frame) {
        handled.push(frame);
        beBusy();
        return Promise.resolve();
      },
      encode: () => null,
      encodeError: () => "",
    },
    events: { onSlow() {}, onWaiting() {}, onError: (error) => errors.push(error) },
  });
  return { connection, handled, errors };
}

Deno.test("a connection that ends during the turn of others handles nothing more", async () => {
  const { connection, handled, errors } = connect();
  connection.receive("one");
  connection.receive("two");
  // The first frame used up its turn; the second waits for the next turn.
  await Promise.resolve();
  await Promise.resolve();
  assert.deepEqual(handled, ["one"]);
  connection.end();
  for (let i = 0; i < 3; i++) await yieldToEventLoop();
  assert.deepEqual(handled, ["one"]);
  assert.deepEqual(errors, []);
});

Deno.test("slow frames are handled in order, with turns for others between them", async () => {
  const { connection, handled, errors } = connect();
  for (const frame of ["one", "two", "three"]) connection.receive(frame);
  const seen: number[] = [];
  while (handled.length < 3) {
    seen.push(handled.length);
    await yieldToEventLoop();
  }
  assert.deepEqual(handled, ["one", "two", "three"]);
  assert.ok(seen.includes(1) && seen.includes(2), `turns came after ${seen} frames`);
  assert.deepEqual(errors, []);
});

Deno.test("waiting commands are bounded, and past the bound the peer receives an error", async () => {
  const handled: string[] = [];
  const refused: unknown[] = [];
  const first = Promise.withResolvers<void>();
  const connection = bareConnection({
    socket: { readyState: 1, bufferedAmount: 0, send() {}, close() {} },
    protocol: {
      name: "waiting",
      batching: false,
      follows: "itself",
      onOpen() {},
      authFrame: () => "",
      onFrame(_connection, frame) {
        handled.push(frame);
        return first.promise;
      },
      encode: () => null,
      encodeError: (error) => {
        refused.push({ code: error.code, limit: error.limit });
        return "refused";
      },
    },
    events: { onSlow() {}, onWaiting() {}, onError: assert.ifError },
  });
  connection.principal = {
    kind: "agent",
    userId: "u",
    userName: "Ada",
    role: "agent",
    tokenId: null,
    signInId: null,
    expiresAt: null,
  };
  // One is handled, ten wait (bareConnection's limit), and one is too many.
  for (let i = 0; i < 11; i++) connection.receive(`frame ${i}`);
  assert.deepEqual(refused, []);
  connection.receive("frame 11");
  assert.deepEqual(refused, [{ code: "overloaded", limit: "MAX_PENDING_COMMANDS" }]);
  first.resolve();
  for (let i = 0; i < 5; i++) await yieldToEventLoop();
  assert.ok(!handled.includes("frame 11"));
});
