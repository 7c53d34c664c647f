/** The queue on the native protocol, and the notification of the end of a snooze. */
import assert from "node:assert/strict";
import type { Conversation } from "../protocol/model.ts";
import type { Team } from "../protocol/teams.ts";
import { call, post } from "./support/http.ts";
import { makeLabel } from "./support/labels.ts";
import { assign, colleagues, newVisitor, untilTold } from "./support/notifications.ts";
import { onEitherEngine } from "./support/server.ts";
import { connect } from "./support/socket.ts";

const inMs = (ms: number) => new Date(Date.now() + ms).toISOString();

onEitherEngine(
  "conversations are assigned, snoozed and resolved by commands",
  async (server, t) => {
    const [ada, bea] = await colleagues(server, "Bea");
    const { sessionId, conversationId } = await newVisitor(server, ada!);
    await post(server, sessionId, conversationId, "Hello?");
    const { body: team } = await call<Team>(server, "POST", "/api/teams", {
      token: ada!.token,
      body: { name: "Sales" },
    });
    const label = await makeLabel(server, ada!.token, "Refund");
    const agent = await connect(server, { token: ada!.token });
    const visitor = await connect(server, { sessionId });
    const update = async (change: Record<string, unknown>): Promise<Conversation> =>
      (await agent.ack("update_conversation", { conversationId, ...change })).conversation;

    await t.step("one at a time", async () => {
      const changed = await update({
        assigneeId: bea!.id,
        teamId: team.id,
        priority: "high",
        addLabels: [label.id],
      });
      assert.deepEqual(
        [changed.assignee?.userName, changed.teamId, changed.priority, changed.labels?.length],
        ["Bea", team.id, "high", 1],
      );
      const until = inMs(3_600_000);
      const snoozed = await update({ status: "snoozed", snoozedUntil: until });
      assert.deepEqual([snoozed.status, snoozed.snoozedUntil], ["snoozed", until]);
      assert.equal((await update({ status: "resolved" })).status, "resolved");
    });

    await t.step("several, as unread, and as read", async () => {
      const { changed, failed } = await agent.ack("update_conversations", {
        ids: [conversationId, team.id],
        change: { status: "open", assigneeId: null },
      });
      assert.deepEqual([changed, failed.length, failed[0].code], [
        [conversationId],
        1,
        "not_found",
      ]);
      assert.deepEqual(await agent.ack("mark_unread", { ids: [conversationId] }), { unread: 1 });
      const { read, totalUnread } = await agent.ack("read_conversations", { all: true });
      assert.deepEqual([read, totalUnread], [1, 0]);
    });

    await t.step("what is wrong is refused, and everything by a visitor", async () => {
      const wrong: [string, Record<string, unknown>, string][] = [
        ["update_conversation", { conversationId }, ""],
        ["update_conversation", { conversationId, snoozedUntil: null }, "snoozedUntil"],
        ["update_conversation", { conversationId, teamId: label.id }, "teamId"],
        ["update_conversations", { ids: [], change: { status: "open" } }, "ids"],
        [
          "update_conversations",
          { ids: [conversationId], change: { labels: [] } },
          "change.labels",
        ],
      ];
      for (const [type, data, path] of wrong) {
        const { type: answer, data: error } = await agent.ask(type, data);
        const fields = (error as { fields: { path: string }[] }).fields;
        assert.deepEqual([answer, fields[0]?.path], ["error", path], JSON.stringify(data));
      }
      for (
        const [type, data] of [
          ["update_conversation", { conversationId, status: "resolved" }],
          ["update_conversations", { ids: [conversationId], change: { status: "resolved" } }],
          ["mark_unread", { ids: [conversationId] }],
          ["read_conversations", { all: true }],
        ] as const
      ) {
        const { data: error } = await visitor.ask(type, data);
        assert.equal((error as { code: string }).code, "forbidden", type);
      }
      const now = await call<Conversation>(server, "GET", `/api/conversations/${conversationId}`, {
        token: ada!.token,
      });
      assert.equal(now.body.status, "open");
    });
    await agent.close();
    await visitor.close();
  },
);

onEitherEngine("who snoozed a conversation, or has it, is told when it is back", async (server) => {
  const [ada, bea] = await colleagues(server, "Bea");
  const own = await newVisitor(server, ada!);
  const given = await newVisitor(server, ada!);
  await assign(server, ada!, given.conversationId, bea!);
  const agent = await connect(server, { token: ada!.token });
  await agent.ack("join", { conversationId: own.conversationId });
  for (const { conversationId } of [own, given]) {
    await agent.ack("update_conversation", {
      conversationId,
      status: "snoozed",
      snoozedUntil: inMs(1500),
    });
  }
  const back = await agent.event("conversation_changed", ({ status }) => status === "open");
  assert.equal(back.snoozedBy, ada!.id);
  for (const [who, visitor] of [[ada!, own], [bea!, given]] as const) {
    const { items } = await untilTold(
      server,
      who,
      ({ items }) => items.some(({ kind }) => kind === "snooze_ended"),
    );
    const told = items.filter(({ kind }) => kind === "snooze_ended");
    assert.deepEqual(told.map(({ conversationId, title }) => [conversationId, title]), [
      [visitor.conversationId, told[0]!.title],
    ]);
    assert.match(told[0]!.title, /^The snooze of .* has ended$/);
  }
  await agent.close();
});
