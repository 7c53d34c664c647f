import assert from "node:assert/strict";
import type { ConnectionEnd } from "./adapter.ts";
import { createLink } from "./link.ts";

interface Attempt {
  ready(): void;
  ended(end: ConnectionEnd): void;
  closed: boolean;
}

function start() {
  const attempts: Attempt[] = [];
  const states: string[] = [];
  let opened = Promise.withResolvers<void>();
  const link = createLink({
    delays: { minDelayMs: 1, maxDelayMs: 2 },
    state: ({ name }) => states.push(name),
    open(attempt) {
      const own = { ...attempt, closed: false };
      attempts.push(own);
      opened.resolve();
      opened = Promise.withResolvers();
      return { close: () => own.closed = true };
    },
  });
  return { link, attempts, states, next: () => opened.promise };
}

Deno.test("a lost connection is established again, a refused one is not", async () => {
  const { link, attempts, states, next } = start();
  link.connect();
  attempts[0]!.ready();
  const second = next();
  attempts[0]!.ended({ why: "gone", again: true });
  await second;
  attempts[1]!.ready();
  attempts[1]!.ended({ why: "You may not", again: false });
  assert.deepEqual(states, [
    "connecting",
    "connected",
    "waiting",
    "connecting",
    "connected",
    "failed",
  ]);
  assert.deepEqual(link.state, { name: "failed", why: "You may not" });
});

Deno.test("while it is offline by choice nothing is tried, and events of an older attempt are ignored", () => {
  const { link, attempts, states } = start();
  link.connect();
  attempts[0]!.ready();
  link.goOffline();
  assert.equal(attempts[0]!.closed, true);
  attempts[0]!.ended({ why: "gone", again: true });
  attempts[0]!.ready();
  assert.deepEqual(states.at(-1), "offline");
  link.comeBack();
  assert.equal(attempts.length, 2);
  attempts[1]!.ready();
  link.close();
  assert.equal(attempts[1]!.closed, true);
  assert.equal(link.state.name, "idle");
  link.comeBack();
  assert.equal(attempts.length, 2);
});

Deno.test("connecting during a wait tries at once, and only once", async () => {
  const { link, attempts, next } = start();
  link.connect();
  attempts[0]!.ended({ why: "busy", again: true, waitMs: 3_600_000 });
  assert.equal(link.state.name, "waiting");
  const second = next();
  link.connect();
  await second;
  assert.equal(attempts.length, 2);
  link.close();
});
