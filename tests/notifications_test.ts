import assert from "node:assert/strict";
import type { Conversation, Message, Notification } from "../protocol/model.ts";
import type { NotificationList, NotificationPreferences } from "../protocol/notifications.ts";
import { call, post } from "./support/http.ts";
import { onNodes } from "./support/nodes.ts";
import { assign, colleagues, kinds, newVisitor, told, untilTold } from "./support/notifications.ts";
import { onEitherEngine } from "./support/server.ts";
import { connect } from "./support/socket.ts";

onEitherEngine("a new conversation calls everybody, until somebody comes", async (server) => {
  const [ada, bea] = await colleagues(server, "Bea");
  const a = await connect(server, { token: ada!.token });
  const b = await connect(server, { token: bea!.token });
  const visitor = await newVisitor(server, ada!);
  const first = await post(server, visitor.sessionId, visitor.conversationId, "Is anybody there?");

  const { notification, unread } = await b.event("notification");
  assert.equal(unread, 1);
  assert.equal(notification.kind, "new_conversation");
  assert.equal(notification.userId, bea!.id);
  assert.equal(notification.conversationId, visitor.conversationId);
  assert.equal(notification.title, `${visitor.name} started a conversation`);
  assert.equal(notification.body, "Is anybody there?");
  assert.equal(notification.data["messageId"], first.id);
  assert.equal(notification.readAt, null);
  assert.deepEqual((await told(server, bea!)).items, [notification]);
  const mine = await a.event("notification");

  // A second message is the same conversation; the answer settles it for everybody.
  await post(server, visitor.sessionId, visitor.conversationId, "Hello?");
  await post(server, ada!.token, visitor.conversationId, "Here I am");
  const read = await b.event("notifications_read");
  assert.deepEqual(read.ids, [notification.id]);
  assert.equal(read.unread, 0);
  assert.deepEqual((await a.event("notifications_read")).ids, [mine.notification.id]);
  const list = await told(server, bea!);
  assert.equal(list.unread, 0);
  assert.deepEqual(kinds(list), ["new_conversation"]);
  assert.equal(list.items[0]!.readAt, read.readAt);
  assert.equal(b.count("notification"), 1);

  // Resolved, and then the visitor comes back.
  await call(server, "PATCH", `/api/conversations/${visitor.conversationId}`, {
    token: ada!.token,
    body: { status: "resolved", assigneeId: null },
  });
  await post(server, visitor.sessionId, visitor.conversationId, "One more thing");
  const again = await b.event("notification", (data) => data.notification.id !== notification.id);
  assert.equal(again.notification.title, `${visitor.name} is back`);
  await Promise.all([a.close(), b.close()]);
});

onEitherEngine("who is assigned a conversation is told by whom, nobody else is", async (server) => {
  const [ada, bea, cleo] = await colleagues(server, "Bea", "Cleo");
  const visitor = await newVisitor(server, ada!);
  await assign(server, ada!, visitor.conversationId, ada!);
  await assign(server, ada!, visitor.conversationId, bea!);
  const list = await untilTold(server, bea!, ({ items }) => items.length > 0);
  assert.deepEqual(kinds(list), ["assigned"]);
  assert.equal(
    list.items[0]!.title,
    `ada assigned you the conversation with ${visitor.name}`,
  );
  await assign(server, bea!, visitor.conversationId, cleo!);
  await untilTold(server, cleo!, ({ items }) => items.length > 0);
  assert.deepEqual(kinds(await told(server, ada!)), []);
  assert.deepEqual(kinds(await told(server, bea!)), ["assigned"]);
});

onEitherEngine("a mention tells those whose whole name it is, once", async (server) => {
  const [ada, bea, beatrix] = await colleagues(server, "Bea", "Bea Trix");
  const visitor = await newVisitor(server, ada!);
  const path = `/api/conversations/${visitor.conversationId}/messages`;
  const { body: note } = await call<Message>(server, "POST", path, {
    token: ada!.token,
    body: {
      content: "@bea trix could you look? @ada",
      clientMessageId: "1",
      isPrivate: true,
    },
  });
  const list = await untilTold(server, beatrix!, ({ items }) => items.length > 0);
  assert.deepEqual(kinds(list), ["mention"]);
  assert.equal(list.items[0]!.body, "@bea trix could you look? @ada");
  assert.match(list.items[0]!.title, /^ada mentioned you in the conversation with /);

  // An edit tells those whom it names and the message did not.
  const socket = await connect(server, { token: ada!.token });
  const place = { conversationId: visitor.conversationId, messageId: note.id };
  await socket.ack("edit_message", { ...place, content: "@Bea Trix and @Bea, look" });
  await untilTold(server, bea!, ({ items }) => items.length > 0);
  assert.deepEqual(kinds(await told(server, beatrix!)), ["mention"]);
  assert.deepEqual(kinds(await told(server, ada!)), []);
  // A visitor mentions nobody.
  await post(server, visitor.sessionId, visitor.conversationId, "@Bea please");
  await untilTold(server, bea!, ({ items }) => items.length === 2);
  assert.deepEqual(kinds(await told(server, bea!)), ["new_conversation", "mention"]);

  // The text goes with the message.
  await socket.ack("delete_message", place);
  const after = await told(server, bea!);
  assert.deepEqual(after.items.map(({ body }) => body), ["@Bea please", ""]);
  await socket.close();
});

onEitherEngine("messages of one conversation are one notification until read", async (server) => {
  const [ada, bea] = await colleagues(server, "Bea");
  const visitor = await newVisitor(server, ada!);
  const { sessionId, conversationId } = visitor;
  await assign(server, ada!, conversationId, bea!);
  const phone = await connect(server, { token: bea!.token });
  const desk = await connect(server, { token: bea!.token });
  await post(server, sessionId, conversationId, "one");
  const first = await phone.event("notification", (n) => n.notification.kind === "message");
  assert.equal(first.notification.title, `${visitor.name} wrote`);
  await post(server, sessionId, conversationId, "two");
  await call(server, "POST", `/api/conversations/${conversationId}/messages`, {
    token: ada!.token,
    body: { content: "A note, @Bea", clientMessageId: "n", isPrivate: true },
  });
  const last = await post(server, sessionId, conversationId, "three");
  const grown = await phone.event(
    "notification",
    ({ notification }) => notification.data["count"] === 3,
  );
  assert.equal(grown.notification.id, first.notification.id);
  assert.equal(
    grown.notification.title,
    `3 new messages in the conversation with ${visitor.name}`,
  );
  assert.equal(grown.notification.body, "three");
  const before = await told(server, bea!, "?unread=true");
  // Not also a message: the note mentions her.
  assert.deepEqual(kinds(before).sort(), ["assigned", "mention", "message"]);

  // Reading on one device is reading on all, and what is read is not told.
  await desk.ack("read", { conversationId, seq: last.seq });
  const read = await phone.event("notifications_read");
  assert.equal(read.unread, 0);
  assert.deepEqual([...read.ids!].sort(), before.items.map(({ id }) => id).sort());

  await post(server, sessionId, conversationId, "four");
  const next = await phone.event(
    "notification",
    ({ notification }) => notification.body === "four",
  );
  assert.notEqual(next.notification.id, first.notification.id);
  assert.equal(next.notification.data["count"], 1);
  assert.equal(next.unread, 1);
  await Promise.all([phone.close(), desk.close()]);
});

onEitherEngine(
  "who reads in the same moment is not told, or it is read at once",
  async (server) => {
    const [ada, bea] = await colleagues(server, "Bea");
    const { sessionId, conversationId } = await newVisitor(server, ada!);
    await assign(server, ada!, conversationId, bea!);
    const socket = await connect(server, { token: bea!.token });
    await socket.ack("join", { conversationId });
    for (let i = 0; i < 20; i++) {
      const { seq } = await post(server, sessionId, conversationId, `message ${i}`);
      await socket.ack("read", { conversationId, seq });
    }
    const list = await untilTold(server, bea!, ({ unread }) => unread === 0);
    assert.equal(list.unread, 0);
    await socket.close();
  },
);

onEitherEngine("a wait that is too long is told once, to whom it concerns", async (server) => {
  const [ada, bea] = await colleagues(server, "Bea");
  const taken = await newVisitor(server, ada!);
  const open = await newVisitor(server, ada!);
  await assign(server, ada!, taken.conversationId, bea!);
  const { seq } = await post(server, taken.sessionId, taken.conversationId, "Hello?");
  await post(server, open.sessionId, open.conversationId, "Anybody?");
  // Reading is not answering.
  const socket = await connect(server, { token: bea!.token });
  await socket.ack("read", { conversationId: taken.conversationId, seq });
  const isWaiting = ({ kind }: Notification) => kind === "waiting";
  const both = (list: NotificationList) => list.items.filter(isWaiting).length === 2;
  const list = await untilTold(server, bea!, both, "two waits");
  const one = list.items.find((item) => item.conversationId === taken.conversationId)!;
  assert.match(one.title, /^Visitor .* has waited for \d+ seconds?$/);
  const adas = await untilTold(server, ada!, ({ items }) => items.some(isWaiting), "a wait");
  assert.deepEqual(
    adas.items.filter(isWaiting).map((item) => item.conversationId),
    [open.conversationId],
  );

  // The answer settles it; a wait that begins anew is told anew, also after a restart.
  await post(server, bea!.token, taken.conversationId, "Sorry for that");
  await untilTold(
    server,
    bea!,
    ({ items }) => items.find(({ id }) => id === one.id)!.readAt !== null,
    "the answer to settle it",
  );
  await socket.close();
  await server.stop();
  await server.restart();
  await post(server, taken.sessionId, taken.conversationId, "And now?");
  const of = (items: Notification[]) =>
    items.filter((item) => isWaiting(item) && item.conversationId === taken.conversationId);
  await untilTold(server, bea!, ({ items }) => of(items).length === 2, "the second wait");
  assert.equal((await told(server, ada!)).items.filter(isWaiting).length, 1);
  assert.equal((await told(server, bea!)).items.filter(isWaiting).length, 3);
}, { WAITING_ALERT_MS: "600" });

onEitherEngine(
  "notifications are read one by one and all at once, only one's own",
  async (server) => {
    const [ada, bea, cleo] = await colleagues(server, "Bea", "Cleo");
    const visitors = [];
    for (let i = 0; i < 5; i++) {
      const visitor = await newVisitor(server, ada!);
      // Mentions stand alone, however many there are.
      await post(server, ada!.token, visitor.conversationId, `@Bea @Cleo question ${i}`);
      visitors.push(visitor);
    }
    const all = await untilTold(server, bea!, ({ items }) => items.length === 5);
    assert.equal(all.unread, 5);
    assert.deepEqual(
      all.items.map(({ body }) => body),
      [4, 3, 2, 1, 0].map((i) => `@Bea @Cleo question ${i}`),
    );
    const pages: string[] = [];
    for (let cursor: string | null = ""; cursor !== null;) {
      const page: NotificationList = await told(
        server,
        bea!,
        `?limit=2${cursor === "" ? "" : `&cursor=${encodeURIComponent(cursor)}`}`,
      );
      pages.push(...page.items.map(({ id }) => id));
      cursor = page.nextCursor;
    }
    assert.deepEqual(pages, all.items.map(({ id }) => id));

    const socket = await connect(server, { token: bea!.token });
    const one = all.items[2]!;
    const path = `/api/notifications/${one.id}/read`;
    const read = await call<Notification>(server, "POST", path, { token: bea!.token });
    assert.equal(read.status, 200);
    assert.equal(read.body.id, one.id);
    const told1 = await socket.event("notifications_read");
    assert.deepEqual([told1.ids, told1.unread], [[one.id], 4]);
    const again = await call<Notification>(server, "POST", path, { token: bea!.token });
    assert.equal(again.body.readAt, read.body.readAt);
    assert.equal((await told(server, bea!, "?unread=true")).items.length, 4);

    assert.equal((await call(server, "POST", path, { token: ada!.token })).status, 404);
    const everything = "/api/notifications/read";
    const done = await call(server, "POST", everything, { token: bea!.token });
    assert.deepEqual(done.body, { unread: 0 });
    const told2 = await socket.event("notifications_read", ({ ids }) => ids === null);
    assert.equal(told2.unread, 0);
    assert.equal((await told(server, cleo!)).unread, 5);
    assert.equal(socket.count("notifications_read"), 2);

    const visitor = { token: visitors[0]!.sessionId };
    for (
      const [method, at, options, status] of [
        ["GET", "/api/notifications", visitor, 403],
        ["POST", everything, visitor, 403],
        ["POST", path, visitor, 403],
        ["GET", "/api/notification-preferences", visitor, 403],
        ["GET", "/api/notifications", {}, 401],
        ["GET", "/api/notifications?cursor=nonsense", { token: bea!.token }, 422],
        ["GET", `/api/notifications?cursor=${btoa("2026-99-99T00:00:00 x")}`, {
          token: bea!.token,
        }, 422],
        ["GET", "/api/notifications?limit=0", { token: bea!.token }, 422],
        ["GET", "/api/notifications?unread=maybe", { token: bea!.token }, 422],
        ["POST", "/api/notifications/1/read", { token: bea!.token }, 422],
        ["POST", `/api/notifications/${crypto.randomUUID()}/read`, { token: bea!.token }, 404],
      ] as const
    ) {
      assert.equal((await call(server, method, at, options)).status, status, `${method} ${at}`);
    }
    await socket.close();
  },
);

onEitherEngine("what an agent does not want in the bell is not told", async (server) => {
  const [ada, bea] = await colleagues(server, "Bea");
  const path = "/api/notification-preferences";
  const socket = await connect(server, { token: bea!.token });
  const change = (body: unknown) =>
    call<NotificationPreferences>(server, "PATCH", path, { token: bea!.token, body });
  const before = await call<NotificationPreferences>(server, "GET", path, { token: bea!.token });
  assert.equal(before.body.new_conversation.bell, true);
  // At once from two devices: neither takes the other's back.
  const [one, two] = await Promise.all([
    change({ new_conversation: { bell: false } }),
    change({ message: { sound: false } }),
  ]);
  assert.deepEqual([one.status, two.status], [200, 200]);
  const after = await call<NotificationPreferences>(server, "GET", path, { token: bea!.token });
  assert.deepEqual(after.body, {
    ...before.body,
    new_conversation: { ...before.body.new_conversation, bell: false },
    message: { ...before.body.message, sound: false },
  });
  await socket.event(
    "notification_preferences",
    ({ preferences }) => !preferences.new_conversation.bell && !preferences.message.sound,
  );

  const visitor = await newVisitor(server, ada!);
  await post(server, visitor.sessionId, visitor.conversationId, "Hello");
  await untilTold(server, ada!, ({ items }) => items.length === 1);
  await assign(server, ada!, visitor.conversationId, bea!);
  await untilTold(server, bea!, ({ items }) => items.length === 1);
  assert.deepEqual(kinds(await told(server, bea!)), ["assigned"]);

  for (const body of [{}, { message: { loud: true } }, { other: {} }, { message: null }, []]) {
    assert.equal((await change(body)).status, 422, JSON.stringify(body));
  }
  await socket.close();
});

onEitherEngine("many within a short time are one, with a count that follows", async (server) => {
  const [ada, bea] = await colleagues(server, "Bea");
  const b = await connect(server, { token: bea!.token });
  const visitors = await Promise.all(Array.from({ length: 6 }, () => newVisitor(server, ada!)));
  await Promise.all(
    visitors.map(({ sessionId, conversationId }) =>
      post(server, sessionId, conversationId, "Hello?")
    ),
  );
  const counted = (n: number) => ({ items }: NotificationList) =>
    items.length === 1 && items[0]!.data["count"] === n;
  const list = await untilTold(server, bea!, counted(6));
  assert.equal(list.unread, 1);
  const [group] = list.items;
  assert.equal(group!.kind, "new_conversation");
  assert.equal(group!.title, "6 new conversations");
  assert.equal(group!.conversationId, null);
  const conversations = group!.data["conversations"] as Record<string, number>;
  const ids = visitors.map(({ conversationId }) => conversationId);
  assert.deepEqual(Object.keys(conversations).sort(), ids.toSorted());
  await b.event("notification", ({ notification }) => notification.data["count"] === 6);

  // One is erased with its visitor.
  const erased = ids.pop()!;
  const { body } = await call<Conversation>(server, "GET", `/api/conversations/${erased}`, {
    token: ada!.token,
  });
  await call(server, "DELETE", `/api/contacts/${body.contact.id}`, { token: ada!.token });
  assert.equal((await told(server, bea!)).items[0]!.title, "5 new conversations");

  // One is read by its reader alone, one is answered for everybody, and the rest is resolved.
  await call(server, "POST", `/api/conversations/${ids[0]}/read`, {
    token: bea!.token,
    body: { seq: 1 },
  });
  await untilTold(server, bea!, counted(4));
  assert.equal((await told(server, ada!)).items[0]!.title, "5 new conversations");
  await post(server, ada!.token, ids[1]!, "Here I am");
  await untilTold(server, bea!, counted(3));
  await untilTold(server, ada!, counted(4));
  for (const id of ids.slice(2)) {
    await call(server, "PATCH", `/api/conversations/${id}`, {
      token: ada!.token,
      body: { status: "resolved" },
    });
  }
  const over = await untilTold(
    server,
    bea!,
    ({ items, unread }) => unread === 0 && items[0]!.readAt !== null,
  );
  assert.equal(over.unread, 0);
  await b.event("notifications_read", ({ ids }) => ids?.includes(group!.id) === true);

  // Those that are assigned to her are a group of their own.
  for (const id of ids) await assign(server, ada!, id, bea!);
  const given = await untilTold(
    server,
    bea!,
    ({ items }) => items.some(({ title }) => title === "5 conversations were assigned to you"),
  );
  assert.deepEqual(kinds(given), ["assigned", "new_conversation"]);
  await b.close();
});

onEitherEngine("a followed table brings one's own notifications", async (server) => {
  const [ada, bea] = await colleagues(server, "Bea");
  const a = await connect(server, { token: ada!.token });
  const b = await connect(server, { token: bea!.token });
  for (const socket of [a, b]) await socket.ack("subscribe", { table: "notifications" });
  const { conversationId } = await newVisitor(server, ada!);
  await assign(server, ada!, conversationId, bea!);
  const { data } = await b.event("database_change");
  assert.equal(data["user_id"], bea!.id);
  assert.equal(data["kind"], "assigned");
  await assign(server, bea!, conversationId, ada!);
  const other = await a.event("database_change");
  assert.equal(other.data["user_id"], ada!.id);
  assert.equal(a.count("database_change"), 1);
  await Promise.all([a.close(), b.close()]);
});

onNodes("on several nodes each is made once, and told wherever the agent is", async (nodes) => {
  const [here, there] = nodes;
  const [ada, bea] = await colleagues(here, "Bea");
  const visitor = await newVisitor(here, ada!);
  const socket = await connect(there, { token: bea!.token });
  await post(here, visitor.sessionId, visitor.conversationId, "Hello?");
  await socket.event("notification", (n) => n.notification.kind === "new_conversation");
  await socket.event("notification", (n) => n.notification.kind === "waiting");
  await post(there, ada!.token, visitor.conversationId, "Yes?");
  await socket.event("notifications_read", ({ unread }) => unread === 0);
  // The wait has taken the place of the start.
  assert.deepEqual(kinds(await told(here, bea!)), ["waiting"]);
  assert.equal(socket.count("notification"), 2);
  await socket.close();
}, { WAITING_ALERT_MS: "500" });
