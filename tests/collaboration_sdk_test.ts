import assert from "node:assert/strict";
import { lengthOf } from "../protocol/text.ts";
import { createRandom } from "./faults/random.ts";
import { call, cast } from "./support/http.ts";
import { onNodes } from "./support/nodes.ts";
import { onEitherEngine, startServer, type TestServer } from "./support/server.ts";
import { closeAll, openWriter, until, type Writer } from "./support/writers.ts";

/** Writes at random places while connections are cut, and waits until all show the same. */
async function writeTogether(
  writers: Writer[],
  edits: number,
  seed: number,
  meanwhile?: () => Promise<void>,
): Promise<string> {
  const random = createRandom(seed);
  const documents = writers.map(({ document }) => document);
  for (let i = 0; i < edits; i++) {
    const { document, proxy } = random.pick(writers);
    const length = lengthOf(document.text);
    const position = random.int(0, length);
    const removed = random.int(0, Math.min(2, length - position));
    document.change({
      operation: "replace",
      position,
      length: removed,
      content: random.pick(["a", "é😀", "\n", "🇩🇪x"]),
    });
    if (i === Math.floor(edits / 2)) await meanwhile?.();
    if (random.int(0, 15) === 0) {
      proxy.shut();
      proxy.open();
    }
    if (random.int(0, 3) === 0) {
      await new Promise((resolve) => setTimeout(resolve, random.int(0, 20)));
    }
  }
  const versions = () => new Set(documents.map(({ version }) => version)).size;
  await until(
    documents,
    () =>
      documents.every(({ isSettled, status }) => isSettled && status === "ready") &&
      versions() === 1,
    `rest, from seed ${seed}`,
  );
  const [text] = documents.map((document) => document.text);
  for (const document of documents) assert.equal(document.text, text, `seed ${seed}`);
  return text!;
}

const seedOf = () => Math.floor(Math.random() * 2 ** 31);

onEitherEngine(
  "the SDK: people who write at once over connections that are cut end with the text that is stored",
  async (server) => {
    const { agent, conversation } = await cast(server);
    const writers: Writer[] = [];
    for (let i = 0; i < 4; i++) {
      writers.push(await openWriter(server, agent.token, conversation.id));
    }
    await writeTogether(writers, 60, seedOf());
    const text = await writeTogether(writers, 60, seedOf(), async () => {
      await server.stop();
      await server.restart();
    });
    const late = await openWriter(server, agent.token, conversation.id);
    assert.equal(late.document.text, text);
    closeAll([...writers, late]);
  },
  { PRESENCE_GRACE_MS: "0", LIMIT_MESSAGES_PER_MINUTE: "10000", MAX_DOCUMENT_OPERATIONS: "100" },
);

onNodes("the SDK: people on two nodes end with one text", async ([one, two]) => {
  const { agent, conversation } = await cast(one);
  const writers = [];
  for (const node of [one, two, one, two]) {
    writers.push(await openWriter(node, agent.token, conversation.id));
  }
  const text = await writeTogether(writers, 80, seedOf());
  const late = await openWriter(two, agent.token, conversation.id);
  assert.equal(late.document.text, text);
  closeAll([...writers, late]);
}, { LIMIT_MESSAGES_PER_MINUTE: "10000" });

async function withServer(env: Record<string, string>, fn: (server: TestServer) => Promise<void>) {
  const server = await startServer("pglite", env);
  try {
    await fn(server);
    if (server.errors.length > 0) throw server.errors[0];
  } finally {
    await server.close();
  }
}

Deno.test("the SDK: members, cursors that move with the text, and viewers", () =>
  withServer({ PRESENCE_GRACE_MS: "0" }, async (server) => {
    const { agent, conversation } = await cast(server);
    const { body } = await call<{ email: string }>(server, "POST", "/api/users", {
      token: agent.token,
      body: { name: "Bob", email: "bob@example.com", password: "a long enough one", role: "agent" },
    });
    const bobs = await call<{ token: string }>(server, "POST", "/api/auth/login", {
      body: { email: body.email, password: "a long enough one" },
    });
    const ann = await openWriter(server, agent.token, conversation.id);
    const bob = await openWriter(server, bobs.body.token, conversation.id, "viewer");
    const both = [ann.document, bob.document];
    await until(both, () => ann.document.members.length === 2, "two members");
    assert.equal(bob.document.canEdit, false);
    assert.throws(() => bob.document.setText("no"), { code: "read_only" });

    ann.document.setText("Hello 👋 world");
    await until(both, () => bob.document.text === ann.document.text, "the text");
    assert.deepEqual(bob.document.cursors.map(({ position, userId }) => [position, userId]), [
      [lengthOf("Hello 👋 world"), agent.user.id],
    ]);
    bob.document.setCursor(8, 13);
    const cursorOf = () =>
      ann.document.cursors.map(({ position, selectionEnd }) => [position, selectionEnd])[0];
    await until(both, () => cursorOf() !== undefined, "the cursor");
    assert.deepEqual(cursorOf(), [8, 13]);
    // Line ends are made \n, and U+0000 and half of a pair do not come through.
    ann.document.splice(0, 0, "a\r\nb\0\ud83d");
    assert.equal(ann.document.text, "a\nb\ufffdHello 👋 world");
    assert.deepEqual(cursorOf(), [12, 17]);
    await until(both, () => bob.document.text === ann.document.text, "the same text");
    bob.document.close();
    await until(both, () => ann.document.members.length === 1, "one member");
    assert.deepEqual(ann.document.cursors, []);
    closeAll([ann, bob]);
  }));

Deno.test("the SDK: what the server refuses is taken back, and a long text goes in parts", () =>
  withServer({ MAX_DOCUMENT_BYTES: "100000" }, async (server) => {
    const { agent, conversation } = await cast(server);
    const ann = await openWriter(server, agent.token, conversation.id);
    const long = "😀x\n".repeat(20_000);
    ann.document.setText(long);
    let code: string | undefined;
    ann.document.on("error", (error) => code = error.code);
    await until([ann.document], () => code !== undefined, "the refusal");
    assert.equal(code, "too_large");
    assert.ok(ann.document.text.length < long.length);
    ann.document.setText("short");
    await until([ann.document], () => ann.document.isSettled, "the short text");
    const bob = await openWriter(server, agent.token, conversation.id);
    assert.equal(bob.document.text, "short");
    const part = "😀x\n".repeat(14_000);
    ann.document.setText(part);
    await until([ann.document, bob.document], () => bob.document.text === part, "the long text");
    closeAll([ann, bob]);
  }));
