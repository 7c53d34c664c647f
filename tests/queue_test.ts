/** The agents' queue: snoozing, and what follows for lists and counts. */
import assert from "node:assert/strict";
import type { Conversation } from "../protocol/model.ts";
import type { MessageList } from "../protocol/rest.ts";
import { poll } from "./support/deadline.ts";
import { call, cast, post } from "./support/http.ts";
import { onBothEngines, type TestServer } from "./support/server.ts";
import { connect } from "./support/socket.ts";

type Failed = { code: string; fields: { path: string; message: string }[] };

const change = (server: TestServer, token: string, id: string, body: unknown) =>
  call<Conversation & Failed>(server, "PATCH", `/api/conversations/${id}`, { token, body });

const read = async (server: TestServer, token: string, id: string) =>
  (await call<Conversation>(server, "GET", `/api/conversations/${id}`, { token })).body;

/** The activity lines of a conversation, the oldest first. */
async function lines(server: TestServer, token: string, id: string): Promise<string[]> {
  const path = `/api/conversations/${id}/messages`;
  const { body } = await call<MessageList>(server, "GET", path, { token });
  return body.items.filter(({ type }) => type === "activity").map(({ content }) => content);
}

const inMs = (ms: number) => new Date(Date.now() + ms).toISOString();

onBothEngines("a snoozed conversation comes back at its time or with a message", async (
  server,
  t,
) => {
  const { agent, visitor, conversation: { id } } = await cast(server);
  const { token } = agent;
  const isBack = () =>
    poll(() => read(server, token, id), ({ status }) => status === "open", "the end of the snooze");

  await t.step("it says until when, and refuses times that make no sense", async () => {
    const until = inMs(3_600_000);
    const snoozed = await change(server, token, id, { status: "snoozed", snoozedUntil: until });
    assert.deepEqual(
      [snoozed.status, snoozed.body.status, snoozed.body.snoozedUntil],
      [200, "snoozed", until],
    );
    const text = `${until.slice(0, 16).replace("T", " ")} UTC`;
    assert.deepEqual(await lines(server, token, id), [
      `ada snoozed the conversation until ${text}`,
    ]);
    for (
      const [body, message] of [
        [{ status: "snoozed", snoozedUntil: inMs(-1000) }, "must be in the future"],
        [{ status: "snoozed", snoozedUntil: inMs(400 * 86_400_000) }, "must be within a year"],
        [{ status: "open", snoozedUntil: until }, 'goes only together with "status": "snoozed"'],
      ] as const
    ) {
      const { body: { fields } } = await change(server, token, id, body);
      assert.deepEqual(fields, [{ path: "snoozedUntil", message }]);
    }
    assert.equal((await read(server, token, id)).snoozedUntil, until);
    const own = await call<Conversation>(server, "GET", `/api/conversations/${id}`, {
      token: visitor.sessionId,
    });
    assert.equal("snoozedUntil" in own.body, false);
  });

  await t.step("the time can be changed; it comes back by itself, with an event", async () => {
    const socket = await connect(server, { token });
    await socket.ack("join", { conversationId: id });
    const before = (await read(server, token, id)).lastActivityAt;
    await change(server, token, id, { status: "snoozed", snoozedUntil: inMs(400) });
    const { message } = await socket.event(
      "conversation_changed",
      ({ status }) => status === "open",
    );
    assert.equal(message!.content, "The conversation is back: its snooze has ended");
    const woken = await isBack();
    assert.equal("snoozedUntil" in woken, false);
    assert.ok(woken.lastActivityAt > before);
    socket.close();
  });

  await t.step("it comes back after a restart, too", async () => {
    await change(server, token, id, { status: "snoozed", snoozedUntil: inMs(600) });
    await server.stop();
    await server.restart();
    await isBack();
    assert.equal((await lines(server, token, id)).at(-1)!.startsWith("The conversation is"), true);
  });

  await t.step("a snooze until the next reply, and any other, ends with a message", async () => {
    for (const until of [null, inMs(60_000)]) {
      const { body } = await change(server, token, id, { status: "snoozed", snoozedUntil: until });
      assert.equal(body.snoozedUntil, until);
      await post(server, visitor.sessionId, id, "One more thing");
      assert.equal((await read(server, token, id)).status, "open");
    }
    assert.equal(
      (await lines(server, token, id)).at(-4),
      "ada snoozed the conversation until the next reply",
    );
  });
});
