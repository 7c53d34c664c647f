/** What the list is limited to, in queries and in saved views, and the conversations that mention me. */
import assert from "node:assert/strict";
import type { Conversation } from "../protocol/model.ts";
import type { ConversationCounts } from "../protocol/queue.ts";
import type { ConversationList } from "../protocol/rest.ts";
import type { Team } from "../protocol/teams.ts";
import type { SavedView, ViewCounts, ViewList } from "../protocol/views.ts";
import { poll } from "./support/deadline.ts";
import { call, keepUnassigned, openSession, post } from "./support/http.ts";
import { makeLabel } from "./support/labels.ts";
import { assign, colleagues, newVisitor } from "./support/notifications.ts";
import { onBothEngines, onEitherEngine } from "./support/server.ts";
import { connect } from "./support/socket.ts";

type Failed = { code: string; fields: { path: string; message: string }[] };

onBothEngines("the list is limited by everything together", async (server, t) => {
  const [ada, bea] = await colleagues(server, "Bea");
  const token = ada!.token;
  await keepUnassigned(server, token);
  const write = async (text: string) => {
    const visitor = await newVisitor(server, ada!);
    await post(server, visitor.sessionId, visitor.conversationId, text);
    return visitor;
  };
  const [invoice, parcel, other] = [
    await write("Where is my invoice?"),
    await write("My parcel is broken"),
    await write("Thank you"),
  ];
  const [a, b, c] = [invoice, parcel, other].map(({ conversationId }) => conversationId);
  const change = (id: string, body: unknown) =>
    call(server, "PATCH", `/api/conversations/${id}`, { token, body });
  const list = async (query: string, who = token) => {
    const path = `/api/conversations?${query}`;
    const { body } = await call<ConversationList>(server, "GET", path, { token: who });
    return body.items.map(({ id }) => id).sort();
  };
  const are = (...ids: (string | undefined)[]) => ids.toSorted();

  await t.step("assignee, team, label and channel", async () => {
    await assign(server, ada!, a!, bea!);
    assert.deepEqual(await list(`assignee=${bea!.id}`), [a]);
    const { body: team } = await call<Team>(server, "POST", "/api/teams", {
      token,
      body: { name: "Billing" },
    });
    await change(a!, { teamId: team.id });
    await change(b!, { teamId: team.id });
    assert.deepEqual(await list(`team=${team.id}`), are(a, b));
    assert.deepEqual(await list(`team=${team.id}&assignee=${bea!.id}`), [a]);
    const label = await makeLabel(server, token, "Refund");
    await change(b!, { addLabels: [label.id] });
    assert.deepEqual(await list(`team=${team.id}&label=${label.id}`), [b]);
    assert.deepEqual(await list("channel=web"), are(a, b, c));
    assert.deepEqual(await list("channel=context"), []);
  });

  await t.step("the widget that the contact has used", async () => {
    const { body: widget } = await call<{ id: string; widgetKey: string }>(
      server,
      "POST",
      "/api/widget-configs",
      { token, body: { name: "Blog" } },
    );
    const { sessionId } = await openSession(server, widget.widgetKey);
    const { body: { id } } = await call<Conversation>(server, "POST", "/api/conversations", {
      token: sessionId,
      body: {},
    });
    await post(server, sessionId, id, "From the blog");
    assert.deepEqual(await list(`widget=${widget.id}`), [id]);
    await change(id, { status: "resolved" });
    assert.deepEqual(await list(`widget=${widget.id}&status=open`), []);
  });

  await t.step("unread, and for how long somebody waits", async () => {
    assert.deepEqual(await list("unread=true&status=open"), are(b, c));
    assert.deepEqual(await list("unread=true&status=open", bea!.token), are(a, b, c));
    await call(server, "POST", "/api/conversations/read", { token, body: { ids: [b] } });
    assert.deepEqual(await list("unread=true"), [c]);
    assert.deepEqual(await list("waitingMinutes=1"), []);
    assert.deepEqual(
      (await call<Failed>(server, "GET", "/api/conversations?unread=no&waitingMinutes=0", {
        token,
      })).body.fields.map(({ path }) => path).sort(),
      ["unread", "waitingMinutes"],
    );
  });

  await t.step("words of its messages, and names of contacts", async () => {
    await poll(() => list("q=invo"), (ids) => ids.length === 1, "the index");
    assert.deepEqual(await list("q=INVOICE%20where"), [a]);
    assert.deepEqual(await list(`q=${encodeURIComponent(other.name)}`), [c]);
    assert.deepEqual(await list("q=invoice&view=unassigned"), []);
  });

  await t.step("where somebody mentions me, with a count", async () => {
    const note = (id: string, content: string) =>
      call(server, "POST", `/api/conversations/${id}/messages`, {
        token,
        body: { content, clientMessageId: crypto.randomUUID(), isPrivate: true },
      });
    // Whether she wants notifications of it or not.
    await call(server, "PATCH", "/api/notifications/preferences", {
      token: bea!.token,
      body: { mention: { bell: false } },
    });
    await note(c!, "@Bea what do you think?");
    const { body: { id } } = await note(b!, "@Bea and here?");
    const counts = async (who: string) =>
      (await call<ConversationCounts>(server, "GET", "/api/conversations/counts", { token: who }))
        .body.mentions;
    await poll(() => counts(bea!.token), (n) => n === 2, "the mentions");
    assert.deepEqual(await list("view=mentions", bea!.token), are(b, c));
    assert.deepEqual(await list("view=mentions"), []);
    await call(server, "POST", "/api/conversations/bulk", {
      token,
      body: { ids: [c], change: { status: "resolved" } },
    });
    assert.deepEqual(await list("view=mentions&status=open", bea!.token), [b]);
    // A note that is deleted mentions nobody.
    const socket = await connect(server, { token });
    await socket.ack("delete_message", { conversationId: b, messageId: id });
    await socket.close();
    assert.deepEqual(await list("view=mentions", bea!.token), [c]);
  });
});

onEitherEngine("views are saved for oneself, a team and everybody, and counted", async (server) => {
  const [ada, bea, cem] = await colleagues(server, "Bea", "Cem");
  const { conversationId } = await newVisitor(server, ada!);
  await assign(server, ada!, conversationId, bea!);
  const { body: team } = await call<Team>(server, "POST", "/api/teams", {
    token: ada!.token,
    body: { name: "Billing", memberIds: [bea!.id] },
  });
  const save = (who: string, body: unknown) =>
    call<SavedView & Failed>(server, "POST", "/api/views", { token: who, body });
  const filter = { view: "mine", status: "open", sort: "waiting" };
  const own = (await save(bea!.token, { name: " My  open ", filter })).body;
  assert.deepEqual(
    [own.name, own.filter, own.sharedWith, own.teamId, own.userName],
    ["My open", filter, "nobody", null, "Bea"],
  );
  const teams = (await save(bea!.token, {
    name: "Invoices",
    filter: { q: "invoice", unread: true, waitingMinutes: 5 },
    sharedWith: "team",
    teamId: team.id,
  })).body;
  const all =
    (await save(cem!.token, { name: "Urgent", filter: {}, sharedWith: "everybody" })).body;
  for (
    const [body, path] of [
      [{ name: "", filter: {} }, "name"],
      [{ name: "X", filter: { status: "new" } }, "filter.status"],
      [{ name: "X", filter: { page: 1 } }, "filter"],
      [{ name: "X", filter: {}, sharedWith: "team" }, "teamId"],
      [{ name: "X", filter: {}, teamId: team.id }, "teamId"],
      [{ name: "X", filter: {}, sharedWith: "team", teamId: team.id }, "teamId"],
    ] as const
  ) {
    const { status, body: { fields } } = await save(cem!.token, body);
    assert.deepEqual([status, fields?.[0]?.path], [422, path]);
  }

  const names = async (who: string) =>
    (await call<ViewList>(server, "GET", "/api/views", { token: who })).body.items
      .map(({ name }) => name);
  assert.deepEqual(await names(bea!.token), ["Invoices", "My open", "Urgent"]);
  assert.deepEqual(await names(cem!.token), ["Urgent"]);
  assert.deepEqual(await names(ada!.token), ["Invoices", "Urgent"]);

  const { body: { counts } } = await call<ViewCounts>(server, "GET", "/api/view-counts", {
    token: bea!.token,
  });
  assert.deepEqual(counts, { [own.id]: 1, [teams.id]: 0, [all.id]: 1 });

  const patch = (who: string, id: string, body: unknown) =>
    call<SavedView & Failed>(server, "PATCH", `/api/views/${id}`, { token: who, body });
  assert.equal((await patch(cem!.token, own.id, { name: "Mine" })).status, 404);
  assert.equal((await patch(bea!.token, all.id, { name: "Mine" })).status, 403);
  const renamed = await patch(bea!.token, own.id, { name: "To do", sharedWith: "everybody" });
  assert.deepEqual([renamed.body.name, renamed.body.filter], ["To do", filter]);
  assert.deepEqual(await names(cem!.token), ["To do", "Urgent"]);
  const taken = await patch(ada!.token, own.id, { sharedWith: "nobody" });
  assert.deepEqual([taken.status, taken.body.sharedWith], [200, "nobody"]);
  const remove = (who: string, id: string) =>
    call(server, "DELETE", `/api/views/${id}`, { token: who });
  assert.equal((await remove(bea!.token, all.id)).status, 403);
  assert.equal((await remove(cem!.token, all.id)).status, 204);
  await call(server, "DELETE", `/api/teams/${team.id}`, { token: ada!.token });
  const left = (await call<ViewList>(server, "GET", "/api/views", { token: bea!.token })).body;
  assert.deepEqual(left.items.map(({ name, sharedWith }) => [name, sharedWith]), [
    ["Invoices", "nobody"],
    ["To do", "nobody"],
  ]);
  assert.equal((await call(server, "GET", "/api/views")).status, 401);
});
