import assert from "node:assert/strict";
import type { Message } from "../../protocol/model.ts";
import type { ThreadItem } from "../../client/mod.ts";
import { makeMessage } from "../live/test_fixtures.ts";
import { type BubbleLine, firstUnread, threadLines } from "./thread_rows.ts";

const clock = { now: Date.parse("2026-11-20T12:00:00Z"), zone: "UTC", locale: "en-GB" };
const self = { id: "me", name: "Me" };
const none = { agentDeliveredSeq: 0, agentReadSeq: 0, contactDeliveredSeq: 0, contactReadSeq: 0 };
const own = { userId: "me", userName: "Me", role: "agent" as const };

const items = (...messages: Partial<Message>[]): ThreadItem[] =>
  messages.map((change, i) => {
    const message = makeMessage({ seq: i + 1, ...change });
    return { key: message.id, message, pending: null };
  });
const bubbles = (list: ReturnType<typeof threadLines>) =>
  list.filter((line): line is BubbleLine => line.kind === "bubble");

Deno.test("a day separator comes before the first message of each day", () => {
  const lines = threadLines(
    items({ createdAt: "2026-11-19T23:59:00Z" }, { createdAt: "2026-11-20T00:01:00Z" }),
    none,
    self,
    clock,
  );
  assert.deepEqual(lines.map((line) => line.kind), ["day", "bubble", "day", "bubble"]);
});

Deno.test("bubbles of one sender close in time form a group; notes and pauses end it", () => {
  const lines = bubbles(threadLines(
    items(
      { sender: own },
      { sender: own },
      { sender: own, isPrivate: true },
      { sender: own, createdAt: "2026-11-20T09:00:00Z" },
    ),
    none,
    self,
    clock,
  ));
  assert.deepEqual(lines.map((l) => [l.startsGroup, l.endsGroup]), [
    [true, false],
    [false, true],
    [true, true],
    [true, true],
  ]);
});

Deno.test("only the last message with a receipt shows it", () => {
  const pointers = { ...none, contactReadSeq: 2, contactDeliveredSeq: 3 };
  const lines = bubbles(
    threadLines(
      items({ sender: own }, { sender: own }, { sender: own }, { sender: own }, {}),
      pointers,
      self,
      clock,
    ),
  );
  assert.deepEqual(lines.map((l) => l.receipt), [null, "read", "delivered", "sent", null]);
});

Deno.test("pending and failed messages belong to the own side and always have a receipt", () => {
  const pending = (id: string, state: "sending" | "failed"): ThreadItem => ({
    key: id,
    message: null,
    pending: {
      clientMessageId: id,
      content: "x",
      isPrivate: false,
      createdAt: "2026-11-20T08:00:00Z",
      state,
    },
  });
  const lines = bubbles(
    threadLines(
      [pending("a", "failed"), pending("b", "failed"), pending("c", "sending")],
      none,
      self,
      clock,
    ),
  );
  assert.deepEqual(lines.map((l) => [l.side, l.receipt]), [
    ["own", "failed"],
    ["own", "failed"],
    ["own", "sending"],
  ]);
});

Deno.test("notes have no receipt, activity lines are not bubbles", () => {
  const lines = threadLines(
    items({ sender: own, isPrivate: true }, {
      type: "activity",
      sender: { userId: "s", userName: "System", role: "system" },
    }),
    none,
    self,
    clock,
  );
  assert.equal(bubbles(lines)[0]?.receipt, null);
  assert.equal(lines.at(-1)?.kind, "activity");
});

Deno.test("new messages begin with the first unread one, until this agent answers", () => {
  const visitor = { userId: "v", userName: "Vi", role: "visitor" as const };
  const list = items(
    { sender: visitor },
    { sender: own },
    { sender: visitor },
    { sender: visitor },
    { sender: { ...own, userId: "bea" } },
  );
  assert.equal(firstUnread(list, 2, "me"), list[2]!.key);
  assert.equal(firstUnread(list, 1, "me"), list[3]!.key);
  assert.equal(firstUnread(list, 0, "me"), null);
  assert.equal(firstUnread(list, 3, "me"), null);
  const lines = threadLines(list, none, self, clock, list[2]!.key);
  assert.deepEqual(lines.map((line) => line.kind), [
    "day",
    "bubble",
    "bubble",
    "new",
    "bubble",
    "bubble",
    "bubble",
  ]);
});

Deno.test("what this agent did is told as theirs", () => {
  const text = (content: string) => {
    const [, line] = threadLines(
      items({ type: "activity", content, sender: own }),
      none,
      self,
      clock,
    );
    return line?.kind === "activity" ? line.text : null;
  };
  assert.equal(text("Me resolved the conversation"), "You resolved the conversation");
  assert.equal(text("Meredith resolved it"), "Meredith resolved it");
});
