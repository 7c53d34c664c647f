import assert from "node:assert/strict";
import type { ThreadItem } from "../../client/mod.ts";
import { makeMessage } from "../../client/test_server.ts";
import { createNews, unreadOf } from "./news.ts";

function items(...messages: ReturnType<typeof makeMessage>[]): ThreadItem[] {
  return messages.map((message) => ({ key: message.id, message, pending: null }));
}
const team = (seq: number) => makeMessage(seq, `t${seq}`, "agent-1");
const own = (seq: number) => makeMessage(seq, `o${seq}`, "visitor-1");

Deno.test("history is no news, what comes after it is told once", () => {
  const told: number[] = [];
  const news = createNews((message) => told.push(message.seq));
  news.look(items(team(5), own(6)));
  news.look(items(team(5), own(6), team(7)));
  news.look(items(team(5), own(6), team(7), own(8)));
  news.look(items(team(1), team(2), team(5), own(6), team(7), own(8)));
  assert.deepEqual(told, [7]);
});

Deno.test("the first answer in an empty conversation is news", () => {
  const told: number[] = [];
  const news = createNews((message) => told.push(message.seq));
  news.look([]);
  news.look(items(team(1)));
  assert.deepEqual(told, [1]);
});

Deno.test("unread are the team's messages behind the position", () => {
  const deleted = { ...team(4), deletedAt: "2026-01-01T00:00:00Z" };
  assert.equal(unreadOf(items(team(1), own(2), team(3), deleted, team(5)), 1), 2);
});
