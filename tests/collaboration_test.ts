/** Shared documents on `/realtime`: order, rights, limits and what is stored. */
import assert from "node:assert/strict";
import pg from "pg";
import type { DocumentEdit } from "../protocol/collaboration.ts";
import type { ErrorData } from "../protocol/native.ts";
import { applyEdit, lengthOf } from "../protocol/text.ts";
import { cast } from "./support/http.ts";
import { onNodes } from "./support/nodes.ts";
import { onEitherEngine, startServer, type TestServer } from "./support/server.ts";
import { testWith } from "./support/services.ts";
import { connect, type TestSocket } from "./support/socket.ts";

const codeOf = ({ data }: { data?: unknown }) => (data as ErrorData).code;

async function withServer(
  env: Record<string, string>,
  fn: (server: TestServer) => Promise<void>,
): Promise<void> {
  const server = await startServer("pglite", env);
  try {
    await fn(server);
    if (server.errors.length > 0) throw server.errors[0];
  } finally {
    await server.close();
  }
}

/** The text that the edits a socket was told of make. */
function textOf(socket: TestSocket, from = ""): string {
  return socket.received.filter(({ type }) => type === "edit")
    .map(({ data }) => data as DocumentEdit).reduce(applyEdit, from);
}

onEitherEngine("a document: edits at once, in one order, kept over a restart", async (server) => {
  const { agent, conversation } = await cast(server);
  const ann = await connect(server, { token: agent.token });
  const bob = await connect(server, { token: agent.token });
  const subject = { conversationId: conversation.id };
  const joined = await ann.ack("join_session", { ...subject, clientId: "ann" });
  assert.deepEqual([joined.version, joined.content, joined.members.length], [0, "", 1]);
  const { documentId, epoch } = joined;
  await bob.ack("join_session", { ...subject, clientId: "bob" });

  // Two windows of one person, who insert at the same place of the same version.
  const start = { documentId, version: 0, operation: "insert", position: 0 };
  const [first, second] = await Promise.all([
    ann.ack("edit", { ...start, content: "Ann😀", opId: 1 }),
    bob.ack("edit", { ...start, content: "Bob", opId: 1 }),
  ]);
  assert.deepEqual([first.version, second.version].sort(), [1, 2]);
  const state = () => ann.ack("join_session", { ...subject, clientId: "ann" });
  const text: string = (await state()).content;
  assert.ok(["Ann😀Bob", "BobAnn😀"].includes(text), text);
  await ann.event("edit", ({ clientId }) => clientId === "bob");
  await bob.event("edit", ({ clientId }) => clientId === "ann");

  // The same again is the same: once, with the same answer.
  const again = await bob.ack("edit", { ...start, content: "Bob", opId: 1 });
  assert.deepEqual(again, { ...second, duplicate: true });
  // Positions count code points: the emoji is one, a combining mark is one of its own.
  const at = text.startsWith("Ann") ? 4 : 7;
  await bob.ack("edit", {
    documentId,
    version: 2,
    opId: 2,
    edits: [
      { operation: "insert", position: at, content: "e\u0301👍" },
      { operation: "replace", position: at, length: 1, content: "o" },
      { operation: "delete", position: at + 2, content: "👍" },
    ],
  });
  assert.equal((await state()).content, text.replace("😀", "😀o\u0301"));
  // What is deleted between two writes leaves both, and one command can become several edits.
  const full = (await state()).content;
  const dash = { operation: "insert", position: 2, content: "—" };
  await ann.ack("edit", { documentId, version: 3, ...dash });
  const version = (await state()).version;
  const all = { documentId, version: version - 1, opId: 3, operation: "delete", position: 0 };
  const { count } = await bob.ack("edit", { ...all, length: lengthOf(full) });
  assert.equal(count, 2);
  assert.equal((await state()).content, "—");
  // Deleted by both at once: the second has nothing left to do.
  const none = await ann.ack("edit", { ...all, opId: 9, length: 1 });
  assert.equal(none.count, 0);

  // Errors, each by its name; the document is as before.
  const newest = (await state()).version;
  const refused = async (data: Record<string, unknown>) =>
    codeOf(await ann.ask("edit", { documentId, version: newest, ...data }));
  const insert = { operation: "insert", position: 0, content: "x" };
  assert.equal(await refused({ ...insert, version: newest + 1 }), "version_ahead");
  assert.equal(await refused({ ...insert, position: 2 }), "out_of_range");
  assert.equal(await refused({ operation: "delete", position: 0, length: 2 }), "out_of_range");
  assert.equal(await refused({ operation: "delete", position: 0 }), "invalid");
  assert.equal(await refused({ operation: "move", position: 0 }), "invalid");
  assert.equal(await refused({ ...insert, content: "a\r\nb" }), "invalid");
  assert.equal(await refused({ ...insert, position: 0.5 }), "invalid");
  assert.equal(await refused({ edits: [] }), "invalid");
  assert.equal(await refused({ ...insert, documentId: crypto.randomUUID() }), "not_joined");
  assert.equal((await state()).version, newest);

  // Who was away gets what came since, or all of it where the epoch is another.
  const since = { ...subject, epoch, version: newest - 1, clientId: "bob" };
  const behind = await bob.ack("join_session", since);
  assert.deepEqual([behind.content, behind.edits.length, behind.lastOpId], [null, 1, 3]);
  assert.equal((await bob.ack("join_session", { ...since, epoch: "other" })).content, "—");
  await server.stop();
  await server.restart();
  const later = await connect(server, { token: agent.token });
  const after = await later.ack("join_session", since);
  assert.deepEqual(after.edits, behind.edits);
  assert.equal((await later.ack("join_session", subject)).content, "—");
  await later.close();
}, { LIMIT_MESSAGES_PER_MINUTE: "1000" });

onEitherEngine("a document's log is bounded, and its text is not lost by it", async (server) => {
  const { agent, conversation } = await cast(server);
  const ann = await connect(server, { token: agent.token });
  const subject = { conversationId: conversation.id };
  const { documentId, epoch } = await ann.ack("join_session", subject);
  const edit = { documentId, operation: "insert", position: 0, content: "x" };
  for (let version = 0; version < 350; version++) await ann.ack("edit", { ...edit, version });
  const old = await ann.ask("edit", { ...edit, version: 249 });
  assert.equal(codeOf(old), "version_gone");
  // As old as one may be.
  const { version } = await ann.ack("edit", { ...edit, version: 250 });
  assert.equal(version, 351);
  await server.stop();
  await server.restart();
  const bob = await connect(server, { token: agent.token });
  const far = await bob.ack("join_session", { ...subject, epoch, version: 250 });
  assert.deepEqual([far.content, far.version], ["x".repeat(351), 351]);
  const near = await bob.ack("join_session", { ...subject, epoch, version: 252 });
  assert.deepEqual([near.content, near.edits.length], [null, 99]);
  await bob.ack("edit", { ...edit, version: 260 });
  await bob.close();
}, { MAX_DOCUMENT_OPERATIONS: "100" });

onEitherEngine(
  "an edit of long ago and one of now, stored together, both get their place",
  async (server) => {
    const { agent, conversation } = await cast(server);
    const subject = { conversationId: conversation.id };
    const digits = "0123456789".repeat(12);
    const ann = await connect(server, { token: agent.token });
    const { documentId } = await ann.ack("join_session", subject);
    const edit = { documentId, operation: "insert" };
    await Promise.all(
      [...digits].map((content, version) =>
        ann.ack("edit", { ...edit, version, position: version, content })
      ),
    );
    // What is in memory after a restart begins with the last time that the whole text was written.
    await server.stop();
    await server.restart();
    const bob = await connect(server, { token: agent.token });
    await bob.ack("join_session", subject);
    // One frame: while the first is being stored the two others wait, and are stored together.
    const commands = [
      { version: 120, position: 0, content: "first " },
      { version: 50, position: 25, content: " old " },
      { version: 120, position: 120, content: " new" },
    ];
    bob.raw(
      commands.map((command, id) =>
        JSON.stringify({ type: "edit", id, data: { ...edit, ...command } })
      ).join("\n"),
    );
    for (const id of commands.keys()) {
      const answer = await bob.until((message) => message.id === id, `the answer to ${id}`);
      assert.equal(answer.type, "ack", JSON.stringify(answer));
    }
    const { content, version } = await bob.ack("join_session", subject);
    assert.equal(version, 123);
    assert.equal(content, `first ${digits.slice(0, 25)} old ${digits.slice(25)} new`);
    await bob.close();
  },
);

onEitherEngine("a document is of agents only, but for a context's", async (server) => {
  const { agent, visitor, conversation } = await cast(server);
  const guest = await connect(server, { sessionId: visitor.sessionId });
  const ann = await connect(server, { token: agent.token });
  const contactId = conversation.contact.id;
  for (const subject of [{ conversationId: conversation.id }, { contactId }]) {
    assert.equal(codeOf(await guest.ask("join_session", subject)), "forbidden");
    const { documentId } = await ann.ack("join_session", subject);
    const edit = { documentId, version: 0, operation: "insert", position: 0, content: "secret" };
    assert.equal(codeOf(await guest.ask("edit", edit)), "not_joined");
    await ann.ack("edit", edit);
  }
  const context = { contextId: "A", sessionId: "s" };
  assert.equal(codeOf(await guest.ask("join_session", context)), "forbidden");
  await ann.ack("join_session", context);
  const nobody = crypto.randomUUID();
  assert.equal(codeOf(await ann.ask("join_session", { conversationId: nobody })), "not_found");
  assert.equal(codeOf(await ann.ask("join_session", { contactId: nobody })), "not_found");
  assert.equal(codeOf(await ann.ask("join_session", {})), "invalid");
  assert.equal(codeOf(await ann.ask("join_session", { contactId, ...context })), "invalid");
  assert.equal(codeOf(await ann.ask("join_session", { contextId: "A" })), "invalid");
  // The two documents are two.
  const notes = await ann.ack("join_session", { contactId });
  const draft = await ann.ack("join_session", { conversationId: conversation.id });
  assert.notEqual(notes.documentId, draft.documentId);
  assert.equal(guest.count("edit"), 0);
  await Promise.all([guest.close(), ann.close()]);
});

Deno.test("cursors and members of a document are told to the others, and end with their connection", () =>
  withServer({ PRESENCE_GRACE_MS: "0" }, async (server) => {
    const { agent, conversation } = await cast(server);
    const ann = await connect(server, { token: agent.token });
    const bob = await connect(server, { token: agent.token });
    const subject = { conversationId: conversation.id };
    const { documentId } = await ann.ack("join_session", { ...subject, clientId: "a" });
    await bob.ack("join_session", { ...subject, clientId: "b" });
    await ann.ack("cursor", { documentId, position: 3, selectionEnd: 5, version: 0 });
    const shown = await bob.event("cursor");
    assert.deepEqual([shown.clientId, shown.position, shown.selectionEnd, shown.version], [
      "a",
      3,
      5,
      0,
    ]);
    assert.equal(shown.userId, agent.user.id);
    assert.equal(ann.count("cursor"), 0);
    await ann.close();
    const hidden = await bob.event("cursor", ({ position }) => position === null);
    assert.equal(hidden.clientId, "a");
    await bob.ack("leave_session", { documentId });
    assert.equal(codeOf(await bob.ask("leave_session", { documentId })), "not_joined");
    assert.equal(codeOf(await bob.ask("cursor", { documentId, position: 0 })), "not_joined");
    await bob.close();
  }));

Deno.test("a document, an edit and their rate have limits, each with its name", () =>
  withServer({
    MAX_DOCUMENT_BYTES: "1024",
    MAX_EDIT_BYTES: "600",
    LIMIT_EDITS_PER_MINUTE: "6",
    LIMIT_CURSORS_PER_MINUTE: "1",
  }, async (server) => {
    const { agent, conversation } = await cast(server);
    const ann = await connect(server, { token: agent.token });
    const { documentId } = await ann.ack("join_session", { conversationId: conversation.id });
    const insert = async (content: string, version: number) => {
      const edit = { documentId, version, operation: "insert", position: 0, content };
      const { type, data } = await ann.ask("edit", edit);
      const { code, limit } = data as ErrorData;
      return type === "ack" ? "ack" : `${code} ${limit}`;
    };
    assert.equal(await insert("é".repeat(301), 0), "too_large MAX_EDIT_BYTES");
    assert.equal(await insert("é".repeat(300), 0), "ack");
    assert.equal(await insert("é".repeat(213), 1), "too_large MAX_DOCUMENT_BYTES");
    assert.equal(await insert("é".repeat(212), 1), "ack");
    // Full, it can still be changed for what is not longer.
    await ann.ack("edit", {
      documentId,
      version: 2,
      operation: "replace",
      position: 0,
      length: 1,
      content: "ß",
    });
    assert.equal(await insert("x", 3), "too_large MAX_DOCUMENT_BYTES");
    assert.equal(await insert("x", 3), "rate_limited LIMIT_EDITS_PER_MINUTE");
    await ann.ack("cursor", { documentId, position: 0 });
    const { data } = await ann.ask("cursor", { documentId, position: 0 });
    assert.equal((data as ErrorData).limit, "LIMIT_CURSORS_PER_MINUTE");
    await ann.close();
  }));

onNodes(
  "a document on two nodes: one order, no edit twice and none missing",
  async ([one, two]) => {
    const { agent, conversation } = await cast(one);
    const subject = { conversationId: conversation.id };
    const sockets = [
      await connect(one, { token: agent.token }),
      await connect(two, { token: agent.token }),
    ];
    const watch = await connect(two, { token: agent.token });
    const { documentId } = await sockets[0]!.ack("join_session", subject);
    await sockets[1]!.ack("join_session", subject);
    await watch.ack("join_session", subject);
    const each = 40;
    await Promise.all(sockets.map(async (socket, i) => {
      for (let n = 0; n < each; n++) {
        await socket.ack("edit", {
          documentId,
          version: 0,
          operation: "insert",
          position: 0,
          content: `${i}`,
        });
      }
    }));
    await watch.event("edit", ({ version }) => version === 2 * each);
    const versions = watch.received.filter(({ type }) => type === "edit")
      .map(({ data }) => (data as DocumentEdit).version);
    assert.deepEqual(versions, Array.from({ length: 2 * each }, (_, i) => i + 1));
    const after = await connect(one, { token: agent.token });
    const { content } = await after.ack("join_session", subject);
    assert.equal(textOf(watch), content);
    assert.equal(content.length, 2 * each);
    for (const socket of [...sockets, watch, after]) await socket.close();
  },
);

testWith(
  ["postgres"],
  "a document goes with the conversation that it belongs to, and looking at one stores nothing",
  async () => {
    const server = await startServer("postgres");
    const database = new pg.Client({ connectionString: server.env.DATABASE_URL });
    await database.connect();
    try {
      const { agent, conversation } = await cast(server);
      const ann = await connect(server, { token: agent.token });
      const { documentId } = await ann.ack("join_session", { conversationId: conversation.id });
      const count = async () => {
        const { rows } = await database.query(
          "select (select count(*) from collaboration_documents)::int as documents, " +
            "(select count(*) from collaboration_operations)::int as operations",
        );
        return [rows[0].documents, rows[0].operations];
      };
      assert.deepEqual(await count(), [0, 0]);
      await ann.ack("edit", {
        documentId,
        version: 0,
        operation: "insert",
        position: 0,
        content: "x",
      });
      assert.deepEqual(await count(), [1, 1]);
      await database.query("delete from conversations where id = $1", [conversation.id]);
      assert.deepEqual(await count(), [0, 0]);
      await ann.close();
    } finally {
      await database.end();
      await server.close();
    }
  },
);
