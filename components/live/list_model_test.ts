import assert from "node:assert/strict";
import type { Conversation } from "../../protocol/model.ts";
import type { ConversationList } from "../../protocol/rest.ts";
import { makeConversation } from "./test_fixtures.ts";
import { createListModel, type ListModel } from "./list_model.ts";

const at = (n: number) => `2026-11-20T08:${String(n).padStart(2, "0")}:00.000Z`;
const row = (n: number, change: Partial<Conversation> = {}) =>
  makeConversation({ id: `c${n}`, lastActivityAt: at(n), unread: 0, ...change });
const ids = (model: ListModel) => model.visible.value.map((one) => one.conversation.id);

/** A list whose requests are answered by the test, in the order in which they were made. */
function setUp(first: ConversationList) {
  const asked: { path: string; answer: (value: unknown) => void; fail: (error: Error) => void }[] =
    [];
  const get = <T>(path: string) =>
    new Promise<T>((resolve, reject) => {
      asked.push({ path, answer: resolve as (value: unknown) => void, fail: reject });
    });
  const model = createListModel(first, { view: "all", status: "open" }, { userId: "me", get });
  return { model, asked };
}

Deno.test("a reload drops what is gone and keeps what events changed meanwhile", async () => {
  const { model, asked } = setUp({ items: [row(3), row(2)], nextCursor: null });
  const done = model.reload();
  model.receive(row(5));
  asked[0]!.answer({ items: [row(3)], nextCursor: null });
  await done;
  assert.deepEqual(ids(model), ["c5", "c3"]);
});

Deno.test("a reload goes down to where the list ended", async () => {
  const { model, asked } = setUp({ items: [row(9), row(5)], nextCursor: "a" });
  const done = model.reload();
  asked[0]!.answer({ items: [row(9), row(8)], nextCursor: "b" });
  await Promise.resolve();
  await new Promise((resolve) => setTimeout(resolve));
  assert.match(asked[1]!.path, /cursor=b/);
  asked[1]!.answer({ items: [row(5)], nextCursor: "c" });
  await done;
  assert.deepEqual(ids(model), ["c9", "c8", "c5"]);
  assert.equal(model.hasMore.value, true);
});

Deno.test("the answer for an earlier filter is not shown", async () => {
  const { model, asked } = setUp({ items: [row(1)], nextCursor: null });
  const first = model.setFilter({ view: "all", status: "resolved" });
  const second = model.setFilter({ view: "all", status: "pending" });
  asked[1]!.answer({ items: [row(2, { status: "pending" })], nextCursor: null });
  asked[0]!.answer({ items: [row(3, { status: "resolved" })], nextCursor: null });
  await Promise.all([first, second]);
  assert.deepEqual(ids(model), ["c2"]);
});

Deno.test("a failed page keeps the list and says why; the first page of a filter is an error", async () => {
  const { model, asked } = setUp({ items: [row(4)], nextCursor: "a" });
  const more = model.loadMore();
  asked[0]!.fail(Object.assign(new Error("The server is overloaded"), { code: "overloaded" }));
  await more;
  assert.deepEqual(ids(model), ["c4"]);
  assert.equal(model.error.value, "The server is overloaded");
  const other = model.setFilter({ view: "mine", status: "open" });
  asked[1]!.fail(new Error("no"));
  await other;
  assert.equal(model.status.value, "error");
});

Deno.test("an old conversation from an event requests its unread count, once", async () => {
  const { model, asked } = setUp({ items: [], nextCursor: null });
  const written = (seq: number) => ({
    seq,
    preview: "Hello",
    userId: "v",
    userName: "Vi",
    role: "visitor" as const,
    isPrivate: false,
    createdAt: "2026-11-20T08:00:00.000Z",
  });
  model.receive(row(7, { inboundCount: 30, unread: undefined, lastMessage: written(1) }));
  const lastMessage = written(2);
  model.receive(row(7, { inboundCount: 31, unread: undefined, lastSeq: 2, lastMessage }));
  assert.deepEqual(asked.map((one) => one.path), ["/api/conversations/c7"]);
  asked[0]!.answer(row(7, { inboundCount: 31, unread: 2, lastSeq: 2 }));
  await new Promise((resolve) => setTimeout(resolve));
  assert.equal(model.unreadOf("c7"), 2);
  assert.equal(model.totalUnread.value, 2);
});

Deno.test("the total includes conversations that are not in the list", () => {
  const { model } = setUp({ items: [row(1, { inboundCount: 3, unread: 2 })], nextCursor: null });
  assert.equal(model.totalUnread.value, 2);
  model.setTotalUnread(9);
  model.setUnread("c1", 1);
  assert.equal(model.totalUnread.value, 8);
  model.receive(row(1, { inboundCount: 4, unread: undefined, lastSeq: 9 }));
  assert.equal(model.totalUnread.value, 9);
  model.setUnread("c1", 0, 5);
  assert.equal(model.totalUnread.value, 5);
  // As on the server, resolved conversations do not count.
  model.receive(row(2, { inboundCount: 1, lastSeq: 1, unread: 1 }));
  model.setTotalUnread(6);
  model.receive(row(2, { inboundCount: 1, lastSeq: 2, status: "resolved", unread: undefined }));
  model.setUnread("c2", 0);
  assert.equal(model.totalUnread.value, 5);
});
