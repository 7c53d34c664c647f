import assert from "node:assert/strict";
import { call, login } from "../support/http.ts";
import type { ConversationList } from "../../protocol/rest.ts";
import { onEitherEngine, startServer } from "../support/server.ts";
import { type Line, open, type ScopedPeer, SECRET, sign } from "./scoped_peer.ts";

const ENV = { JWT_SECRET: SECRET, PRESENCE_GRACE_MS: "0" };

onEitherEngine("scoped collaboration: every example of its document", async (server) => {
  const agent = await login(server);
  const peer = async (sub: string, contextId: string) =>
    await open(server, "collaboration", {
      token: await sign({ sub, name: sub, contexts: [contextId] }),
      contextId,
    });
  const ann = await peer("Ann", "A");
  const bob = await peer("Bob", "A");
  const eve = await peer("Eve", "E");
  const join = { sessionId: "session_123", role: "participant" };
  // Join collaboration session.
  ann.send({ type: "join_session", data: join });
  const joined = await ann.until(({ type }) => type === "session_joined");
  assert.equal(joined.data.sessionId, "session_123");
  assert.equal(joined.data.role, "participant");
  assert.equal(joined.data.memberCount, 1);
  // A session of the same name in another context is another session.
  assert.equal((await eve.ask("join_session", join)).data.memberCount, 1);
  const { data } = await bob.ask("join_session", { sessionId: "session_123", role: "reviewer" });
  assert.deepEqual(
    data.members.map(({ username, role, kind }: Line) => [username, role, kind]),
    [["Ann", "participant", "visitor"], ["Bob", "reviewer", "visitor"]],
  );
  const heard = await ann.until(({ type }) => type === "user_joined");
  assert.equal(heard.data.sessionId, "session_123");
  assert.equal(heard.data.username, "Bob");
  assert.equal(heard.data.role, "reviewer");
  assert.equal(heard.data.userId, data.members[1].userId);
  const ada = await open(server, "collaboration");
  const me = await ada.ask("auth", { token: agent.token, contextId: "A" });
  assert.deepEqual([me.data.role, me.data.contextId], ["agent", "A"]);
  assert.equal((await ada.ask("join_session", { sessionId: "session_123" })).data.memberCount, 3);
  const third = await ann.until(({ data }) => data?.kind === "agent");
  assert.equal(third.data.role, "participant", "which is what nobody else chose");

  // Send edit operation. Here nothing was written yet, so the document's numbers are too high.
  const edit = { operation: "insert", position: 42, content: "Hello World", version: 15 };
  assert.equal((await ann.ask("edit", edit)).data.code, "version_ahead");
  const filler = { operation: "insert", position: 0, content: "x", version: 0 };
  for (let version = 0; version < 15; version++) {
    const content = version === 0 ? "x".repeat(42) : "y";
    const answer = await ann.ask("edit", { ...filler, position: version * 2, content, version });
    assert.deepEqual([answer.type, answer.data.version], ["ack", version + 1]);
  }
  const taken = await ann.ask("edit", edit);
  assert.deepEqual(taken.data, { version: 16, count: 1, duplicate: false });
  // Receive edit operation.
  for (const other of [bob, ada]) {
    const { data } = await other.until(({ type, data }) => type === "edit" && data.version === 16);
    assert.deepEqual([data.operation, data.position, data.content, data.sessionId], [
      "insert",
      42,
      "Hello World",
      "session_123",
    ]);
    assert.deepEqual([data.author.username, data.author.kind], ["Ann", "visitor"]);
    const versions = other.received.filter(({ type }) => type === "edit")
      .map(({ data }) => data.version);
    assert.deepEqual(versions, Array.from({ length: 16 }, (_, i) => i + 1));
  }
  assert.equal(ann.received.filter(({ type }) => type === "edit").length, 0);
  assert.equal(eve.received.filter(({ type }) => type === "edit").length, 0);
  // A late joiner has all of it.
  const late = await peer("Late", "A");
  const { data: now } = await late.ask("join_session", { ...join, role: "viewer" });
  assert.deepEqual([now.version, now.content.slice(42, 53)], [16, "Hello World"]);
  const looks = await late.ask("edit", { ...filler, version: 16 });
  assert.equal(looks.data.code, "read_only");
  await late.ask("leave_session", { sessionId: "session_123" });
  await ann.until(({ type, data }) => type === "user_left" && data.username === "Late");
  await late.close();

  // A second tab of the same person is not a second person.
  const tab = await peer("Bob", "A");
  assert.equal((await tab.ask("join_session", { ...join, role: "reviewer" })).data.memberCount, 3);
  await tab.close();
  // Leave session.
  bob.send({ type: "leave_session", data: { sessionId: "session_123" } });
  assert.deepEqual((await bob.until(({ type }) => type === "session_left")).data, {
    sessionId: "session_123",
  });
  const left = await ann.until(({ type, data }) =>
    type === "user_left" && data.username !== "Late"
  );
  assert.deepEqual([left.data.username, left.data.sessionId], ["Bob", "session_123"]);
  assert.equal(ann.received.filter(({ type }) => type === "user_left").length, 2);
  assert.equal((await bob.ask("leave_session", join)).data.code, "not_joined");
  // Who goes without a word leaves, too.
  await ada.close();
  await ann.until(({ type, data }) => type === "user_left" && data.kind === "agent");
  assert.equal((await bob.ask("join_session", join)).data.memberCount, 2);
  const others = ({ received }: ScopedPeer) => received.filter(({ type }) => /^user_/.test(type));
  assert.equal(others(eve).length, 0);
  // A session makes no conversation.
  const inbox = await call<ConversationList>(server, "GET", "/api/conversations", {
    token: agent.token,
  });
  assert.equal(inbox.body.items.length, 0);
  await Promise.all([ann.close(), bob.close(), eve.close()]);
}, ENV);

Deno.test("scoped collaboration: a connection is in only so many sessions, and back within the grace is no leaving", async () => {
  const server = await startServer("pglite", {
    ...ENV,
    MAX_SUBSCRIPTIONS: "2",
    PRESENCE_GRACE_MS: "60000",
  });
  try {
    const token = (sub: string) => sign({ sub, contexts: ["A"] });
    const ann = await open(server, "collaboration", { token: await token("ann") });
    for (const sessionId of ["1", "2", "2"]) {
      assert.equal((await ann.ask("join_session", { sessionId })).type, "session_joined");
    }
    const third = await ann.ask("join_session", { sessionId: "3" });
    assert.equal(third.data.code, "too_many_subscriptions");
    await ann.ask("leave_session", { sessionId: "1" });
    assert.equal((await ann.ask("join_session", { sessionId: "3" })).type, "session_joined");

    const bob = await open(server, "collaboration", { token: await token("bob") });
    await bob.ask("join_session", { sessionId: "2" });
    await ann.until(({ type }) => type === "user_joined");
    await bob.close();
    const again = await open(server, "collaboration", { token: await token("bob") });
    await again.ask("join_session", { sessionId: "2" });
    const ended = again.ask("leave_session", { sessionId: "2" });
    await Promise.all([ended, ann.until(({ type }) => type === "user_left")]);
    assert.deepEqual(
      ann.received.filter(({ type }) => /^user_/.test(type)).map(({ type }) => type),
      ["user_joined", "user_left"],
    );
    await Promise.all([ann.close(), again.close()]);
  } finally {
    await server.close();
  }
});
