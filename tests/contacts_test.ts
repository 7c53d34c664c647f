/** The list of contacts, merges, blocks and exports. */
import assert from "node:assert/strict";
import type { AuditList } from "../protocol/audit.ts";
import type { ContactList, ContactProfile } from "../protocol/contacts.ts";
import type { Message } from "../protocol/model.ts";
import { postFiles, uploaded } from "./support/files.ts";
import { inDatabase } from "./support/fingerprint.ts";
import { call, cast, login, openSession, post } from "./support/http.ts";
import { onBothEngines, onEitherEngine, type TestServer } from "./support/server.ts";
import { connect } from "./support/socket.ts";
import { readZip } from "./support/zip.ts";

async function list(server: TestServer, token: string, query: string): Promise<ContactList> {
  const answer = await call<ContactList>(server, "GET", `/api/contacts?${query}`, { token });
  assert.equal(answer.status, 200, JSON.stringify(answer.body));
  return answer.body;
}

/** All names, page by page. */
async function namesOf(server: TestServer, token: string, query: string): Promise<string[]> {
  const names: string[] = [];
  let cursor: string | null = "";
  while (cursor !== null) {
    const more: string = cursor === "" ? "" : `&cursor=${cursor}`;
    const page = await list(server, token, `${query}&limit=2${more}`);
    names.push(...page.items.map(({ name }) => name));
    cursor = page.nextCursor;
  }
  return names;
}

onBothEngines("contacts are found, filtered and sorted, each on one page", async (server) => {
  const { agent: { token }, key, visitor, conversation } = await cast(server);
  const rename = (id: string, body: object) =>
    call(server, "PATCH", `/api/contacts/${id}`, { token, body });
  await rename(visitor.contact.id, { name: "Émile", email: "emile@x.example" });
  await post(server, visitor.sessionId, conversation.id, "Bonjour");
  const others = [];
  for (const name of ["bob", "Anna", "Carla", "anna"]) {
    const { contact } = await openSession(server, key);
    await rename(contact.id, { name });
    others.push(contact);
  }
  // The very same moment, which is no reason to skip one.
  await inDatabase(
    server,
    (query) =>
      query("update contacts set last_seen_at = '2026-01-01T00:00:00.123456Z' where email is null"),
  );

  assert.deepEqual(await namesOf(server, token, "sort=newest"), [
    "anna",
    "Carla",
    "Anna",
    "bob",
    "Émile",
  ]);
  assert.deepEqual(await namesOf(server, token, "sort=recent"), [
    "Émile",
    "anna",
    "Carla",
    "Anna",
    "bob",
  ]);
  assert.deepEqual((await namesOf(server, token, "sort=name")).slice(0, 4), [
    "Anna",
    "anna",
    "bob",
    "Carla",
  ]);
  assert.deepEqual(await namesOf(server, token, "view=wrote"), ["Émile"]);
  assert.deepEqual(await namesOf(server, token, "hasEmail=true"), ["Émile"]);
  assert.deepEqual(await namesOf(server, token, "q=ann&sort=name"), ["Anna", "anna"]);
  assert.deepEqual(await namesOf(server, token, "q=emile"), ["Émile"]);
  const { items: [first], nextCursor } = await list(server, token, "view=wrote&limit=1");
  assert.deepEqual([first!.conversationId, first!.preview], [conversation.id, "Bonjour"]);
  assert.equal(nextCursor, null);
  // A cursor of another order is refused with a sentence.
  const { nextCursor: ofNames } = await list(server, token, "sort=name&limit=1");
  const bad = await call(server, "GET", `/api/contacts?sort=recent&cursor=${ofNames}`, { token });
  assert.deepEqual([bad.status, bad.body["code"]], [422, "invalid"]);
  const own = { token: visitor.sessionId };
  assert.equal((await call(server, "GET", "/api/contacts", own)).status, 403);
});

onBothEngines(
  "two contacts become one, see nothing of each other, and part again",
  async (server) => {
    const { agent: { token }, key, visitor, conversation } = await cast(server);
    const other = await openSession(server, key);
    const third = await openSession(server, key);
    const [a, b, c] = [visitor, other, third].map(({ contact }) => contact.id) as [
      string,
      string,
      string,
    ];
    const patch = (id: string, body: object) =>
      call(server, "PATCH", `/api/contacts/${id}`, { token, body });
    await patch(a, { name: "Grace", attributes: { plan: "gold" } });
    await patch(b, { name: "G. Hopper", attributes: { plan: "free", seats: 2 } });
    await patch(c, { name: "Visitor" });
    await post(server, visitor.sessionId, conversation.id, "from my desk");
    const socket = await connect(server, { sessionId: other.sessionId });
    const { message } = await socket.ack("message", {
      content: "from my phone",
      clientMessageId: "m1",
    });

    const merge = (into: string, from: string) =>
      call<ContactProfile>(server, "POST", `/api/contacts/${into}/merges`, {
        token,
        body: { contactId: from },
      });
    // A chain: c into b, then both into a.
    assert.equal((await merge(b, c)).status, 201);
    const { status, body: merged } = await merge(a, b);
    assert.equal(status, 201);
    assert.deepEqual(merged.memberIds, [a, ...[b, c].sort()]);
    assert.deepEqual(merged.episodes.map(({ preview }) => preview).sort(), [
      "from my desk",
      "from my phone",
    ]);
    assert.deepEqual(merged.attributes.map(({ name, value }) => [name, value]), [
      ["plan", "gold"],
      ["seats", 2],
    ]);
    assert.deepEqual(await namesOf(server, token, "sort=name"), ["Grace"]);
    // Whoever asks for one of them gets the person.
    const asked = await call<ContactProfile>(server, "GET", `/api/contacts/${c}/profile`, {
      token,
    });
    assert.equal(asked.body.contact.id, a);
    const theirs = await call<{ contact: { name: string } }>(
      server,
      "GET",
      `/api/conversations/${message.conversationId}`,
      { token },
    );
    assert.equal(theirs.body.contact.name, "Grace");
    // Rights stay: the other session does not see the conversation of the first.
    const path = `/api/conversations/${conversation.id}`;
    assert.equal((await call(server, "GET", path, { token: other.sessionId })).status, 404);
    // An attribute that is deleted is deleted in all of them.
    await patch(a, { attributes: { seats: null } });
    const { body: less } = await call<ContactProfile>(server, "GET", `/api/contacts/${b}/profile`, {
      token,
    });
    assert.deepEqual(less.attributes.map(({ name }) => name), ["plan"]);

    for (const [into, from] of [[a, a], [a, b], [c, a]] as const) {
      const { status } = await merge(into, from);
      assert.equal(status, 409, `${into} ${from}`);
    }
    const undo = (id: string, mergeId: string) =>
      call<ContactProfile>(server, "DELETE", `/api/contacts/${id}/merges/${mergeId}`, { token });
    const [last] = merged.merges;
    assert.deepEqual([last!.name, last!.by], ["G. Hopper", "ada"]);
    const { status: undone, body: alone } = await undo(a, last!.id);
    assert.equal(undone, 200);
    assert.deepEqual(alone.memberIds, [a]);
    assert.equal((await undo(a, last!.id)).status, 404);
    // The chain is as it was, with the names that they had.
    const { body: pair } = await call<ContactProfile>(server, "GET", `/api/contacts/${c}/profile`, {
      token,
    });
    assert.deepEqual([pair.memberIds, pair.contact.name], [[b, c], "G. Hopper"]);
    await undo(b, pair.merges[0]!.id);
    assert.deepEqual((await namesOf(server, token, "sort=name")).sort(), [
      "G. Hopper",
      "Grace",
      "Visitor",
    ]);
    const { items } =
      (await call<AuditList>(server, "GET", "/api/audit?group=people", { token })).body;
    assert.deepEqual(items.map(({ action }) => action).filter((one) => one.includes("merged")), [
      "contact.unmerged",
      "contact.unmerged",
      "contact.merged",
      "contact.merged",
    ]);

    // Erasing one of a merged pair erases the person.
    await merge(a, b);
    await call(server, "DELETE", `/api/contacts/${b}`, { token });
    assert.deepEqual(await namesOf(server, token, "sort=name"), ["Visitor"]);
    assert.equal((await call(server, "GET", path, { token })).status, 404);
  },
);

onEitherEngine("an export has the person's rows and files, and is for admins", async (server) => {
  const { agent: { token }, visitor, conversation } = await cast(server);
  const { id } = visitor.contact;
  const word = await post(server, visitor.sessionId, conversation.id, "my secret word");
  const reactions = `/api/conversations/${conversation.id}/messages/${word.id}/reactions`;
  await call(server, "POST", reactions, { token: visitor.sessionId, body: { emoji: "👍" } });
  const sent = await uploaded(server, visitor.sessionId, "the bytes", { name: "paper.txt" });
  await postFiles(server, visitor.sessionId, conversation.id, [sent.id]);
  const agent = await connect(server, { token });
  const { documentId, version } = await agent.ack("join_session", { contactId: id, clientId: "c" });
  const edit = { operation: "insert", position: 0, content: "likes lamps" };
  await agent.ack("edit", { documentId, version, opId: 1, ...edit });

  const response = await fetch(`${server.url}/api/contacts/${id}/export`, {
    headers: { authorization: `Bearer ${token}` },
  });
  assert.equal(response.status, 200);
  assert.match(response.headers.get("content-disposition")!, /^attachment; .*\.zip"$/);
  const entries = readZip(await response.bytes());
  assert.equal(entries[`files/${sent.id}/paper.txt`], "the bytes");
  const person = JSON.parse(entries["person.json"]!) as {
    contacts: { id: string }[];
    messages: Message[];
    notes: { text: string }[];
    sessions: Record<string, unknown>[];
  };
  assert.deepEqual(person.contacts.map((one) => one.id), [id]);
  assert.equal(person.messages[0]!.content, "my secret word");
  assert.match(JSON.stringify(person.messages[0]!.reactions), new RegExp(`👍.*${id}`));
  assert.deepEqual(person.notes.map(({ text }) => text), ["likes lamps"]);
  assert.ok(!("session_id" in person.sessions[0]!));

  const eve = { name: "Eve", email: "eve@example.com", password: "a long password", role: "agent" };
  await call(server, "POST", "/api/users", { token, body: eve });
  const { email, password } = eve;
  const plain = (await login(server, { email, password })).token;
  for (
    const [method, path, expected] of [
      ["GET", `/api/contacts/${id}/export`, 403],
      ["DELETE", `/api/contacts/${id}`, 403],
      ["POST", `/api/contacts/${id}/block`, 200],
    ] as const
  ) {
    const body = method === "POST" ? { blocked: true } : undefined;
    const { status } = await call(server, method, path, { token: plain, ...(body && { body }) });
    assert.equal(status, expected, path);
  }
  const { items } =
    (await call<AuditList>(server, "GET", "/api/audit?action=contact.exported", { token })).body;
  assert.equal(items.length, 1);
});
