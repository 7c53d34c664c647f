/** The agents' queue: snoozing, and what follows for lists and counts. */
import type { BulkAnswer } from "../protocol/conversation_changes.ts";
import assert from "node:assert/strict";
import type { Conversation } from "../protocol/model.ts";
import type { ConversationCounts } from "../protocol/queue.ts";
import type { ConversationList, MessageList } from "../protocol/rest.ts";
import { poll } from "./support/deadline.ts";
import { call, cast, post } from "./support/http.ts";
import { makeLabel } from "./support/labels.ts";
import { colleagues, newVisitor } from "./support/notifications.ts";
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

onBothEngines("the queue: snoozing, who takes a conversation, and what is unread", async (
  server,
  t,
) => {
  const { agent, visitor, conversation: { id } } = await cast(server, "assign");
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

  await t.step(
    "who replies gets the conversation, unless the workspace does not want it",
    async () => {
      const [, bea] = await colleagues(server, "Bea");
      const admin = { token, id: agent.user.id, name: agent.user.name };
      const settings = (body: unknown, who = token) =>
        call(server, "PATCH", "/api/queue-settings", { token: who, body });
      const first = await newVisitor(server, admin);
      await post(server, first.sessionId, first.conversationId, "Hello?");
      const note = { content: "Who takes it?", clientMessageId: "n1", isPrivate: true };
      const messages = `/api/conversations/${first.conversationId}/messages`;
      await call(server, "POST", messages, { token: bea!.token, body: note });
      assert.equal((await read(server, token, first.conversationId)).assignee, null);
      await post(server, bea!.token, first.conversationId, "I do");
      const taken = await read(server, token, first.conversationId);
      assert.deepEqual(taken.assignee, { userId: bea!.id, userName: "Bea" });
      assert.deepEqual(await lines(server, token, first.conversationId), [
        "Bea took the conversation",
      ]);
      await post(server, token, first.conversationId, "Me, too");
      assert.equal((await read(server, token, first.conversationId)).assignee?.userId, bea!.id);

      assert.equal((await settings({ assignOnReply: false }, bea!.token)).status, 403);
      assert.equal((await settings({})).status, 422);
      assert.deepEqual((await settings({ assignOnReply: false })).body, {
        assignOnReply: false,
        editMinutes: 15,
        teamId: null,
        handBackAfterMinutes: null,
      });
      const second = await newVisitor(server, admin);
      await post(server, second.sessionId, second.conversationId, "Hello?");
      await post(server, bea!.token, second.conversationId, "Nobody's");
      assert.equal((await read(server, token, second.conversationId)).assignee, null);
      await settings({ assignOnReply: true });
    },
  );

  await t.step("unread is what nobody has dealt with, and what is one's own", async () => {
    const [ada, bea, cem] = await colleagues(server, "Bea Two", "Cem");
    const { sessionId, conversationId } = await newVisitor(server, ada!);
    const count = async ({ token }: { token: string }) => {
      const [{ unread }, list] = await Promise.all([
        read(server, token, conversationId),
        call<ConversationList>(server, "GET", "/api/conversations?limit=100", { token }),
      ]);
      assert.equal(list.body.items.find(({ id }) => id === conversationId)!.unread, unread);
      return unread;
    };
    const total = async ({ token }: { token: string }) =>
      (await call(server, "POST", "/api/conversations/read", {
        token,
        body: { ids: [crypto.randomUUID()] },
      })).body["totalUnread"] as number;
    const before = await total(cem!);
    const counts = async () => {
      const all = [await count(bea!), await count(cem!)];
      assert.equal(await total(cem!), before + all[1]!);
      return all;
    };
    await post(server, sessionId, conversationId, "One");
    await post(server, sessionId, conversationId, "Two");
    assert.deepEqual(await counts(), [2, 2]);
    await post(server, bea!.token, conversationId, "Yes?");
    assert.deepEqual(await counts(), [0, 0], "it was answered");
    await post(server, sessionId, conversationId, "Three");
    assert.deepEqual(await counts(), [1, 0], "it is Bea's");
    await change(server, bea!.token, conversationId, { assigneeId: null });
    assert.deepEqual(await counts(), [1, 3], "nobody has it");
    await change(server, bea!.token, conversationId, { status: "snoozed" });
    assert.deepEqual(await counts(), [0, 0], "it is snoozed");
    await change(server, bea!.token, conversationId, { status: "open" });
    await change(server, bea!.token, conversationId, { status: "resolved" });
    assert.deepEqual(await counts(), [0, 0], "it is resolved");

    const mark = (ids: string[], who = cem!.token) =>
      call(server, "POST", "/api/conversations/unread", { token: who, body: { ids } });
    const socket = await connect(server, { token: cem!.token });
    assert.deepEqual((await mark([conversationId, crypto.randomUUID()])).body, { unread: 1 });
    await socket.event("unread", (data) => data.unread === 1 && data.totalUnread === before + 1);
    assert.deepEqual(await counts(), [0, 1], "only for who marked it");
    // The delivery of the next message does not end the mark.
    await post(server, sessionId, conversationId, "Four");
    const { lastSeq } = await read(server, token, conversationId);
    await socket.ack("delivered", { conversationId, seq: lastSeq });
    assert.equal(await count(cem!), 2);
    assert.deepEqual(await socket.ack("read", { conversationId, seq: lastSeq }), {
      readSeq: lastSeq,
    });
    assert.equal(await count(cem!), 0);
    assert.equal((await mark([conversationId], sessionId)).status, 403);
    assert.equal((await mark([])).status, 422);
    await mark([conversationId]);
    await call(server, "POST", "/api/conversations/read", {
      token: cem!.token,
      body: { all: true },
    });
    assert.deepEqual([await count(cem!), await total(cem!)], [0, 0]);
    await socket.close();
  });

  await t.step("lists by longest waiting and by priority, page by page", async () => {
    const [ada] = await colleagues(server);
    const ids: string[] = [];
    for (let i = 0; i < 7; i++) {
      const { sessionId, conversationId } = await newVisitor(server, ada!);
      ids.push(conversationId);
      // The last two do not wait.
      if (i < 5) await post(server, sessionId, conversationId, `Question ${i}`);
    }
    for (const [i, priority] of [[1, "low"], [4, "urgent"], [2, "urgent"], [6, "high"]] as const) {
      const { body } = await change(server, token, ids[i]!, { priority });
      assert.equal(body.priority, priority);
    }
    const list = async (query: string) => {
      const found: string[] = [];
      for (let cursor: string | null = ""; cursor !== null;) {
        const path: string = `/api/conversations?limit=2&${query}${
          cursor === "" ? "" : `&cursor=${cursor}`
        }`;
        const { status, body }: { status: number; body: ConversationList } = await call<
          ConversationList
        >(server, "GET", path, { token });
        assert.equal(status, 200);
        assert.ok(body.items.length <= 2);
        found.push(...body.items.map(({ id }) => id));
        cursor = body.nextCursor;
      }
      assert.equal(new Set(found).size, found.length);
      return found.flatMap((id) => ids.includes(id) ? [ids.indexOf(id)] : []);
    };
    assert.deepEqual(await list("sort=waiting"), [0, 1, 2, 3, 4, 6, 5]);
    assert.deepEqual(await list("sort=waiting&status=open"), [0, 1, 2, 3, 4, 6, 5]);
    assert.deepEqual(await list("sort=priority"), [4, 2, 6, 1, 5, 3, 0]);
    assert.deepEqual(await list("sort=priority&view=unassigned"), [4, 2, 6, 1, 5, 3, 0]);
    assert.deepEqual(await list("priority=urgent"), [4, 2]);
    const { body: { nextCursor } } = await call<ConversationList>(
      server,
      "GET",
      "/api/conversations?limit=1&sort=waiting",
      { token },
    );
    const other = `/api/conversations?sort=priority&cursor=${nextCursor}`;
    assert.equal((await call(server, "GET", other, { token })).status, 422);
    assert.deepEqual((await lines(server, token, ids[6]!)).at(-1), "ada set the priority to high");
    const { body } = await change(server, token, ids[6]!, { priority: "none" });
    assert.equal("priority" in body, false);
    assert.equal((await change(server, token, ids[6]!, { priority: "top" })).status, 422);
  });

  await t.step("many are changed at once, and what cannot be is said", async () => {
    const [ada] = await colleagues(server);
    const ids: string[] = [];
    for (let i = 0; i < 3; i++) ids.push((await newVisitor(server, ada!)).conversationId);
    const gone = crypto.randomUUID();
    const bulk = (body: unknown, who = token) =>
      call<BulkAnswer & Failed>(server, "POST", "/api/conversations/bulk", { token: who, body });
    const label = await makeLabel(server, token, "Bulk");
    const counts = async (query = "") =>
      (await call<ConversationCounts>(server, "GET", `/api/conversations/counts${query}`, {
        token,
      })).body;
    const before = { all: await counts(), pending: await counts("?status=pending") };
    const set = { status: "pending", assigneeId: ada!.id, addLabels: [label.id], priority: "low" };
    const { body } = await bulk({ ids: [...ids, gone, ids[0]], change: set });
    assert.deepEqual(body.changed, ids);
    assert.deepEqual(body.failed, [
      { id: gone, code: "not_found", detail: `Cannot find the conversation "${gone}"` },
    ]);
    for (const id of ids) {
      const { status, assignee, labels, priority } = await read(server, token, id);
      assert.deepEqual([status, assignee?.userId, labels?.[0]?.id, priority], [
        "pending",
        ada!.id,
        label.id,
        "low",
      ]);
    }
    assert.deepEqual(await counts(), {
      mine: before.all.mine + 3,
      unassigned: before.all.unassigned - 3,
      mentions: 0,
      all: before.all.all,
    });
    assert.deepEqual(await counts("?status=pending"), {
      ...before.pending,
      mine: before.pending.mine + 3,
      all: before.pending.all + 3,
    });
    const visitors = { token: visitor.sessionId };
    assert.equal((await call(server, "GET", "/api/conversations/counts", visitors)).status, 403);
    const bad = async (change: unknown, path: string) => {
      const { status, body } = await bulk({ ids, change });
      assert.deepEqual([status, body.fields[0]?.path], [422, path]);
    };
    await bad({ labels: [] }, "change.labels");
    await bad({ assigneeId: gone }, "assigneeId");
    await bad({ status: "snoozed", snoozedUntil: inMs(-1000) }, "snoozedUntil");
    assert.equal((await bulk({ ids: [], change: set })).status, 422);
    assert.equal((await bulk({ ids, change: set }, visitor.sessionId)).status, 403);
    assert.equal((await read(server, token, ids[0]!)).status, "pending");
  });
});
