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

/** Waits until this notification is the model's newest. */
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
    /** The POST requests to the server. */
    posted: string[];
    announced: string[];
    push: (told: Notification, unread: number) => Promise<Notification>;
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
      model.attachTo({ shown: () => OPEN, open: () => {} });
      const client: ParleyClient = open();
      ends = model.listen(client);
      await client.connect();
      const push = (told: Notification, unread: number) => {
        for (const peer of server.peers) peer.event("notification", { notification: told, unread });
        return newest(model, told.id);
      };
      await work({ model, posted, announced, push });
    });
  } finally {
    for (const end of ends) end();
    Reflect.deleteProperty(globalThis, "document");
  }
}

Deno.test("a notification of the visible conversation is read, and not counted", () =>
  onPage("visible", async ({ model, posted, announced, push }) => {
    const seen = await push(notification(1, OPEN), 3);
    assert.notEqual(seen.readAt, null);
    assert.equal(model.unread.value, 2);
    assert.deepEqual(posted, ["/api/notifications/n1/read"]);
    assert.deepEqual(announced, []);

    // Read on another device before it arrived here: the count never falls below 0.
    await push(notification(2, OPEN), 0);
    assert.equal(model.unread.value, 0);

    const other = await push(notification(3, OTHER), 5);
    assert.equal(other.readAt, null);
    assert.equal(model.unread.value, 5);
    assert.equal(posted.length, 2);
    assert.deepEqual(announced, ["Vi wrote"]);
  }));

Deno.test("a hidden page marks nothing as read", () =>
  onPage("hidden", async ({ model, posted, push }) => {
    const told = await push(notification(1, OPEN), 3);
    assert.equal(told.readAt, null);
    assert.equal(model.unread.value, 3);
    assert.deepEqual(posted, []);
  }));
