/** Erasing a person leaves nothing of them, in any table and on any socket. */
import assert from "node:assert/strict";
import { CLOSE } from "../protocol/close_codes.ts";
import type { AuditList } from "../protocol/audit.ts";
import type { Message } from "../protocol/model.ts";
import type { ContactProfile } from "../protocol/contacts.ts";
import type { ConversationList } from "../protocol/rest.ts";
import { enter, open, SECRET, sign } from "./protocols/scoped_peer.ts";
import { poll } from "./support/deadline.ts";
import { filesBelow, postFiles, uploaded } from "./support/files.ts";
import { inDatabase } from "./support/fingerprint.ts";
import { call, cast, openSession, post } from "./support/http.ts";
import { onBothEngines, type TestServer } from "./support/server.ts";
import { connect, type TestSocket } from "./support/socket.ts";

/** Words of the person alone, which the search index keeps as they are. */
const WORDS = {
  name: "quillfeather",
  address: "zeb@erased.example",
  message: "zebrafish",
  page: "cartwheel",
  note: "marzipan",
  draft: "saltlamp",
  shared: "wolfram",
  former: "featherquill",
  file: "gyrfalcon",
  attribute: "quetzal",
};

/** Tables in which a word is, by word. */
async function tablesWith(server: TestServer): Promise<Record<string, string[]>> {
  return await inDatabase(server, async (query) => {
    const tables = await query(
      "select table_name as name from information_schema.tables where table_schema = 'public'",
    );
    const found: Record<string, string[]> = {};
    for (const { name } of tables) {
      const rows = await query(`select lower(to_jsonb(t)::text) as row from "${name}" t`);
      const text = rows.map(({ row }) => String(row)).join("\n");
      for (const [what, word] of Object.entries(WORDS)) {
        if (text.includes(word)) (found[what] ??= []).push(String(name));
      }
    }
    for (const names of Object.values(found)) names.sort();
    return found;
  });
}

async function write(
  socket: TestSocket,
  subject: Record<string, string>,
  content: string,
): Promise<void> {
  const { documentId, version } = await socket.ack("join_session", { ...subject, clientId: "c" });
  const edit = { operation: "insert", position: 0, content };
  await socket.ack("edit", { documentId, version, opId: 1, ...edit });
}

onBothEngines("an erased person is in no table any more", async (server) => {
  const { agent: { token }, key, visitor, conversation } = await cast(server);
  const request = async <T = Record<string, unknown>>(
    method: string,
    path: string,
    body?: unknown,
  ) => {
    const answer = await call<T>(server, method, path, { token, body });
    assert.ok(answer.status < 300, `${method} ${path}: ${JSON.stringify(answer.body)}`);
    return answer.body;
  };
  const contact = `/api/contacts/${conversation.contact.id}`;
  const agent = await connect(server, { token });
  // Rows of these tables are recorded from now on, as they were and as they are.
  for (const table of ["chat_messages", "chat_sessions", "conversations", "notifications"]) {
    await agent.ack("subscribe", { table });
  }
  await request("PATCH", contact, { name: "Zeb Featherquill" });
  const person = await connect(server, { sessionId: visitor.sessionId });
  await post(server, visitor.sessionId, conversation.id, `my ${WORDS.message} is ill`);
  await person.ack("page", { url: `https://shop.example/${WORDS.page}`, title: "Cart" });
  const attributes = { [WORDS.attribute]: WORDS.attribute };
  await request("PATCH", contact, { name: "Zeb Quillfeather", email: WORDS.address, attributes });
  await post(server, token, conversation.id, `Zeb Quillfeather, is it the ${WORDS.message}?`);
  await write(agent, { contactId: conversation.contact.id }, `likes ${WORDS.note}`);
  await write(agent, { conversationId: conversation.id }, `a ${WORDS.draft} helps`);
  await request("PATCH", `/api/conversations/${conversation.id}`, { status: "resolved" });
  await post(server, visitor.sessionId, conversation.id, `the ${WORDS.message} again`);
  const sent = await uploaded(server, visitor.sessionId, "a", { name: `${WORDS.file}.txt` });
  await postFiles(server, visitor.sessionId, conversation.id, [sent.id]);
  await uploaded(server, visitor.sessionId, "never sent", { name: `${WORDS.file}.txt` });
  const stored = () => filesBelow(`${server.env["DATA_DIR"]}/files`);
  assert.equal((await stored()).length, 2);
  const found = await request<{ messages: { items: unknown[] } }>(
    "GET",
    `/api/search?q=${WORDS.message}`,
  );
  assert.ok(JSON.stringify(found).includes(WORDS.message));

  // A merge keeps the names of both, also after it was undone.
  const other = await openSession(server, key);
  const merges = `/api/contacts/${other.contact.id}/merges`;
  const { merges: [merge] } = await request<ContactProfile>("POST", merges, {
    contactId: conversation.contact.id,
  });
  await request("DELETE", `${merges}/${merge!.id}`);

  const before = await tablesWith(server);
  assert.ok(before["name"]!.includes("contact_merges"));
  assert.deepEqual(
    Object.keys(before).sort(),
    Object.keys(WORDS).filter((w) => w !== "shared").sort(),
  );
  for (const table of ["chat_messages", "changes"]) {
    assert.ok(before["message"]!.includes(table), table);
  }

  const connected = await connect(server, { sessionId: visitor.sessionId });
  const erased = await request<{ conversations: number; messages: number }>("DELETE", contact);
  assert.equal((await connected.closed).code, CLOSE.disconnected.code);
  assert.equal(erased.conversations, 1);
  assert.ok(erased.messages >= 4, `${erased.messages}`);
  assert.deepEqual(await tablesWith(server), {});
  await poll(stored, (files) => files.length === 0, "an empty store");

  for (const path of [contact, `/api/conversations/${conversation.id}`]) {
    assert.equal((await call(server, "GET", path, { token })).status, 404);
  }
  assert.equal((await call(server, "DELETE", contact, { token })).status, 404);
  const session = await call(server, "GET", "/api/conversations", { token: visitor.sessionId });
  assert.equal(session.status, 401);
  const { items } = await request<AuditList>("GET", "/api/audit?action=contact.erased");
  assert.deepEqual(items.map(({ subject, data }) => [subject, data]), [
    [{ id: conversation.contact.id, name: null }, { ...erased }],
  ]);
});

onBothEngines(
  "of a conversation of several people the words of others stay",
  async (server) => {
    const { agent: { token, user: ada } } = await cast(server);
    const agent = await connect(server, { token });
    await agent.ack("subscribe", { table: "chat_messages" });
    const ann = await enter(server, await sign({ sub: "ann", name: "Ann", contexts: ["A"] }), "A");
    const zeb = await enter(
      server,
      await sign({ sub: "zeb", name: "Zeb Quillfeather", contexts: ["A"] }),
      "A",
    );
    await ann.ask("message", { content: "Has anybody seen my lamp?" });
    const { conversationId } = ann.me;
    const path = `/api/conversations/${conversationId}`;
    await call(server, "PATCH", path, { token, body: { status: "resolved" } });
    // Writing opens it again, and the history says who did.
    await zeb.ask("message", { content: `the ${WORDS.message} has it` });
    // A context of their own, with what they wrote there together.
    const both = await sign({ sub: "zeb", name: "Zeb Quillfeather", contexts: ["A", "B"] });
    await (await enter(server, both, "B")).ask("message", { content: "Hello" });
    const session = await open(server, "collaboration", { token: both, contextId: "B" });
    await session.ask("join_session", { sessionId: "list" });
    const edit = { operation: "insert", position: 0, content: WORDS.shared, version: 0 };
    assert.equal((await session.ask("edit", edit)).type, "ack");
    // Participants cannot react over any protocol yet, so these are stored directly.
    const stored = JSON.stringify([
      { emoji: "👍", userIds: [zeb.me.userId, ada.id] },
      { emoji: "🎉", userIds: [zeb.me.userId] },
    ]);
    await inDatabase(
      server,
      (query) =>
        query(`update chat_messages set reactions = '${stored}' where content like 'Has anybody%'`),
    );
    const before = await tablesWith(server);
    assert.ok(before["name"]!.includes("conversation_events"));
    assert.ok(before["shared"] !== undefined);

    const deleted = await call(server, "DELETE", `/api/contacts/${zeb.me.userId}`, { token });
    assert.equal(deleted.status, 200);
    assert.deepEqual(await tablesWith(server), {});
    const { body } = await call<{ items: Message[] }>(server, "GET", `${path}/messages`, { token });
    assert.deepEqual(body.items[0]!.reactions, [{ emoji: "👍", userIds: [ada.id] }]);
    const said = body.items.map(({ content, sender }) => `${sender.userName}: ${content}`);
    const name = `Visitor ${zeb.me.userId.slice(-4)}`;
    assert.deepEqual(said, [
      "Ann: Has anybody seen my lamp?",
      "Parley: ada resolved the conversation",
      `Parley: ${name} reopened the conversation`,
      `${name}: `,
    ]);
    const { body: list } = await call<ConversationList>(server, "GET", "/api/conversations", {
      token,
    });
    assert.equal(list.items.find(({ id }) => id === conversationId)?.contact.name, "Ann");
  },
  { JWT_SECRET: SECRET },
);
