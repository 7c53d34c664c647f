import assert from "node:assert/strict";
import { effect } from "@preact/signals";
import { withServer } from "../../client/test_client.ts";
import type { ParleyClient } from "../../client/mod.ts";
import type { Notification } from "../../protocol/model.ts";
import { within } from "../../tests/support/deadline.ts";
import { createNotificationsModel, type NotificationsModel } from "./notifications_model.ts";

const OPEN = "01990000-0000-7000-8000-0000000000c1";
const OTHER = "01990000-0000-7000-8000-0000000000c2";

function notification(n: number, conversationId: string): Notification {
  return {
    id: `n${n}`,
    userId: "agent-me",
    kind: "message",
    title: "Vi wrote",
    body: "Hello",
    conversationId,
    data: {},
    readAt: null,
    createdAt: "2026-11-20T08:00:00.000Z",
  };
}

/** Until the model has this notification as its newest. */
async function newest({ items }: NotificationsModel, id: string): Promise<Notification> {
  const { promise, resolve } = Promise.withResolvers<Notification>();
  const stop = effect(() => {
    const first = items.value[0];
    if (first?.id === id) resolve(first);
  });
  return await within(promise, `the notification "${id}"`).finally(stop);
}

/** Two are unread, and the page shows the conversation `OPEN`. */
async function onPage(
  visibilityState: "visible" | "hidden",
  work: (parts: {
    model: NotificationsModel;
    /** What was asked of the server besides the lists. */
    posted: string[];
    announced: string[];
    tell: (told: Notification, unread: number) => Promise<Notification>;
  }) => Promise<void>,
): Promise<void> {
  const page = Object.assign(new EventTarget(), { visibilityState });
  Object.defineProperty(globalThis, "document", { value: page, configurable: true });
  let ends: (() => void)[] = [];
  try {
    await withServer(async (server, open) => {
      const posted: string[] = [];
      const announced: string[] = [];
      const model = createNotificationsModel({
        unread: 2,
        request: <T>(path: string, init?: { method?: string }) => {
          if (init?.method === "POST") posted.push(path);
          const answer = path.includes("?") ? { items: [], unread: 2, nextCursor: null } : {};
          return Promise.resolve(answer as T);
        },
        announce: (text) => announced.push(text),
        fail: (error) => assert.fail(String(error)),
      });
      model.settle({ shown: () => OPEN, open: () => {} });
      const client: ParleyClient = open();
      ends = model.listen(client);
      await client.connect();
      const tell = (told: Notification, unread: number) => {
        for (const peer of server.peers) peer.event("notification", { notification: told, unread });
        return newest(model, told.id);
      };
      await work({ model, posted, announced, tell });
    });
  } finally {
    for (const end of ends) end();
    Reflect.deleteProperty(globalThis, "document");
  }
}

Deno.test("what is told of the conversation that is seen is read, and not counted", () =>
  onPage("visible", async ({ model, posted, announced, tell }) => {
    const seen = await tell(notification(1, OPEN), 3);
    assert.notEqual(seen.readAt, null);
    assert.equal(model.unread.value, 2);
    assert.deepEqual(posted, ["/api/notifications/n1/read"]);
    assert.deepEqual(announced, []);

    // Read on another device before it was told here: none is left, and never less.
    await tell(notification(2, OPEN), 0);
    assert.equal(model.unread.value, 0);

    const other = await tell(notification(3, OTHER), 5);
    assert.equal(other.readAt, null);
    assert.equal(model.unread.value, 5);
    assert.equal(posted.length, 2);
    assert.deepEqual(announced, ["Vi wrote"]);
  }));

Deno.test("a page that nobody sees reads nothing", () =>
  onPage("hidden", async ({ model, posted, tell }) => {
    const told = await tell(notification(1, OPEN), 3);
    assert.equal(told.readAt, null);
    assert.equal(model.unread.value, 3);
    assert.deepEqual(posted, []);
  }));
