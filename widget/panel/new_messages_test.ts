import assert from "node:assert/strict";
import type { ThreadItem } from "../../client/mod.ts";
import { makeMessage } from "../../client/test_server.ts";
import { createNewMessages, unreadOf } from "./new_messages.ts";

function items(...messages: ReturnType<typeof makeMessage>[]): ThreadItem[] {
  return messages.map((message) => ({ key: message.id, message, pending: null }));
}
const team = (seq: number) => makeMessage(seq, `t${seq}`, "agent-1");
const own = (seq: number) => makeMessage(seq, `o${seq}`, "visitor-1");

Deno.test("history is not new, a later message is reported once", () => {
  const reported: number[] = [];
  const arrivals = createNewMessages((message) => reported.push(message.seq));
  arrivals.check(items(team(5), own(6)));
  arrivals.check(items(team(5), own(6), team(7)));
  arrivals.check(items(team(5), own(6), team(7), own(8)));
  arrivals.check(items(team(1), team(2), team(5), own(6), team(7), own(8)));
  assert.deepEqual(reported, [7]);
});

Deno.test("the first answer in an empty conversation is new", () => {
  const reported: number[] = [];
  const arrivals = createNewMessages((message) => reported.push(message.seq));
  arrivals.check([]);
  arrivals.check(items(team(1)));
  assert.deepEqual(reported, [1]);
});

Deno.test("the team's messages after the position are unread", () => {
  const deleted = { ...team(4), deletedAt: "2026-01-01T00:00:00Z" };
  assert.equal(unreadOf(items(team(1), own(2), team(3), deleted, team(5)), 1), 2);
});
