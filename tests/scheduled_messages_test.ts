import assert from "node:assert/strict";
import type { MessageList } from "../protocol/rest.ts";
import {
  MAX_SCHEDULED_IN_CONVERSATION,
  type ScheduledList,
  type ScheduledMessage,
} from "../protocol/scheduled_messages.ts";
import { poll } from "./support/deadline.ts";
import { type Answer, call, login } from "./support/http.ts";
import { colleagues, newVisitor } from "./support/notifications.ts";
import { onBothEngines } from "./support/server.ts";
import { connect } from "./support/socket.ts";

type Made = Answer<ScheduledMessage & { code: string; fields?: { path: string }[] }>;

const inMs = (ms: number) => new Date(Date.now() + ms).toISOString();
const HOUR = 3_600_000;

onBothEngines("a reply for later is sent at its time, once, as who wrote it", async (server) => {
  const [ada, bea] = await colleagues(server, "Bea");
  const { conversationId: id, sessionId } = await newVisitor(server, ada!);
  const path = `/api/conversations/${id}/scheduled-messages`;
  const make = (body: unknown, token = bea!.token): Promise<Made> =>
    call(server, "POST", path, { token, body });
  const change = (method: string, of: string, token = bea!.token, body?: unknown): Promise<Made> =>
    call(server, method, `/api/scheduled-messages/${of}`, {
      token,
      ...(body === undefined ? {} : { body }),
    });
  const waiting = async () =>
    (await call<ScheduledList>(server, "GET", path, { token: ada!.token })).body.items;
  const sent = async () => {
    const { body } = await call<MessageList>(server, "GET", `/api/conversations/${id}/messages`, {
      token: ada!.token,
    });
    return body.items.map(({ content, sender }) => `${sender.userName}: ${content}`);
  };
  const socket = await connect(server, { token: ada!.token });
  const visitor = await connect(server, { sessionId });
  for (const one of [socket, visitor]) await one.ack("join", { conversationId: id });

  // All agents see it; nobody else does.
  const later = await make({ content: "Later", sendAt: inMs(2 * HOUR) });
  assert.equal(later.status, 201);
  assert.deepEqual(later.body.sender, { userId: bea!.id, userName: "Bea", role: "agent" });
  await socket.event("scheduled_changed", ({ conversationId }) => conversationId === id);
  const sooner = await make({ content: "Sooner", sendAt: inMs(HOUR) });
  assert.deepEqual((await waiting()).map(({ content }) => content), ["Sooner", "Later"]);
  assert.equal((await make({ content: "No", sendAt: inMs(HOUR) }, sessionId)).status, 403);
  assert.equal((await call(server, "GET", path, { token: sessionId })).status, 403);

  // Who wrote it and admins change it.
  const moved = await change("PATCH", later.body.id, ada!.token, { sendAt: inMs(HOUR / 2) });
  assert.equal(moved.status, 200);
  assert.deepEqual((await waiting()).map(({ content }) => content), ["Later", "Sooner"]);
  const hers = await make({ content: "Ada's", sendAt: inMs(HOUR) }, ada!.token);
  for (const method of ["PATCH", "DELETE"]) {
    const body = method === "PATCH" ? { content: "Mine" } : undefined;
    assert.equal((await change(method, hers.body.id, bea!.token, body)).status, 403);
  }
  assert.equal((await change("DELETE", hers.body.id, ada!.token)).status, 204);
  assert.equal((await change("DELETE", hers.body.id, ada!.token)).status, 404);
  assert.equal(
    (await change("PATCH", sooner.body.id, bea!.token, { content: "Soon" })).status,
    200,
  );

  // Bad input.
  for (const sendAt of [inMs(-1000), inMs(400 * 24 * HOUR), "tomorrow"]) {
    const refused = await make({ content: "x", sendAt });
    assert.deepEqual([refused.status, refused.body.fields?.[0]?.path], [422, "sendAt"], sendAt);
  }
  assert.equal((await make({ content: " ", sendAt: inMs(HOUR) })).status, 422);
  for (let n = (await waiting()).length; n < MAX_SCHEDULED_IN_CONVERSATION; n++) {
    assert.equal((await make({ content: `${n}`, sendAt: inMs(3 * HOUR) })).status, 201);
  }
  assert.equal((await make({ content: "One more", sendAt: inMs(HOUR) })).status, 409);
  for (const { id: each, content } of await waiting()) {
    if (/^\d/.test(content)) await change("DELETE", each);
  }

  // At once, and at its time although no server ran at that moment.
  assert.equal(
    (await call(server, "POST", `/api/scheduled-messages/${sooner.body.id}/send`, {
      token: bea!.token,
    })).status,
    204,
  );
  await visitor.event("message", ({ content }) => content === "Soon");
  await poll(waiting, (items) => items.length === 1, "the sent one to go");
  const due = Date.now() + 1500;
  const soon = new Date(due).toISOString();
  await change("PATCH", later.body.id, bea!.token, { sendAt: soon });
  await socket.close();
  await visitor.close();
  await server.stop();
  await poll(() => Date.now(), (now) => now > due, "its time");
  await server.restart();
  await poll(sent, (all) => all.includes("Bea: Later"), "the message");
  await poll(waiting, (items) => items.length === 0, "the sent one to go");
  assert.deepEqual(await sent(), ["Bea: Soon", "Bea: Later"]);

  // Nothing is sent as somebody who is not there any more; an admin sees why.
  const orphan = await make({ content: "Gone", sendAt: inMs(HOUR) });
  const { token: admin } = await login(server);
  await call(server, "PATCH", `/api/users/${bea!.id}`, { token: admin, body: { disabled: true } });
  await call(server, "POST", `/api/scheduled-messages/${orphan.body.id}/send`, { token: admin });
  const [left] = await poll(waiting, ([one]) => one?.error !== null, "the reason");
  assert.equal(left!.error, "Bea was disabled");
  assert.equal((await change("DELETE", orphan.body.id, admin)).status, 204);
  assert.equal((await sent()).length, 2);
});
