/** A shared text is taken out whole, as it is shown, and by one: what a reply is sent from. */
import assert from "node:assert/strict";
import { createRandom } from "./faults/random.ts";
import { cast } from "./support/http.ts";
import { onEitherEngine } from "./support/server.ts";
import { connect } from "./support/socket.ts";
import { closeAll, openWriter, until, type Writer } from "./support/writers.ts";

onEitherEngine("an exact edit is refused where somebody was first", async (server) => {
  const { agent, conversation } = await cast(server);
  const ann = await connect(server, { token: agent.token });
  const { documentId } = await ann.ack("join_session", { conversationId: conversation.id });
  const insert = { documentId, operation: "insert", position: 0, content: "a" };
  await ann.ack("edit", { ...insert, version: 0, exact: true, opId: 1 });
  const late = await ann.ask("edit", { ...insert, version: 0, exact: true, opId: 2 });
  assert.equal((late.data as { code: string }).code, "conflict");
  // Sent again it is the same, not too late.
  const again = await ann.ack("edit", { ...insert, version: 0, exact: true, opId: 1 });
  assert.deepEqual([again.version, again.duplicate], [1, true]);
  await ann.ack("edit", { ...insert, version: 0, opId: 2 });
  assert.equal((await ann.ask("edit", { ...insert, version: 2, exact: 1 })).type, "error");
  await ann.close();
});

const outcome = async (taking: Promise<string>) =>
  await taking.catch((error) => ({ code: error.code as string }));

onEitherEngine("the SDK: of two who take a text at once one gets it", async (server) => {
  const { agent, conversation } = await cast(server);
  const ann = await openWriter(server, agent.token, conversation.id);
  const bob = await openWriter(server, agent.token, conversation.id);
  const both = [ann.document, bob.document];
  assert.equal(await ann.document.take(), "");
  ann.document.setText("Hello 👋");
  await until(both, () => bob.document.text === "Hello 👋" && ann.document.isSettled, "the text");
  const outcomes = await Promise.all(both.map((document) => outcome(document.take())));
  assert.deepEqual(outcomes.toSorted((a) => typeof a === "string" ? -1 : 1), [
    "Hello 👋",
    { code: "conflict" },
  ]);
  await until(both, () => both.every(({ text, isSettled }) => text === "" && isSettled), "none");

  // Somebody goes on writing: nobody sends what they did not see, and nothing is lost.
  ann.document.setText("First.");
  await until(both, () => bob.document.text === "First." && ann.document.isSettled, "the text");
  bob.document.splice(6, 0, " More.");
  const taking = outcome(ann.document.take());
  ann.document.setText("after");
  const taken = await taking;
  await until(both, () => both.every(({ isSettled }) => isSettled), "rest");
  await until(both, () => ann.document.text === bob.document.text, "one text");
  if (typeof taken === "string") assert.equal(ann.document.text.length, " More.after".length);
  else {
    assert.deepEqual(taken, { code: "conflict" });
    assert.deepEqual(
      [..."First. More.after"].sort().join(""),
      [...ann.document.text].sort().join(""),
    );
  }
  // Who only looks takes nothing, and can become a writer and a viewer again.
  const cleo = await openWriter(server, agent.token, conversation.id, "viewer");
  assert.deepEqual(await outcome(cleo.document.take()), { code: "read_only" });
  cleo.document.setRole("writer");
  cleo.document.setText("by Cleo");
  await until([...both, cleo.document], () => ann.document.text === "by Cleo", "her text");
  assert.equal(await cleo.document.take(), "by Cleo");
  cleo.document.setRole("viewer");
  assert.equal(cleo.document.canEdit, false);
  closeAll([ann, bob, cleo]);
}, { LIMIT_MESSAGES_PER_MINUTE: "1000" });

onEitherEngine(
  "the SDK: each word is taken once, whatever happens to the connections",
  async (server) => {
    const { agent, conversation } = await cast(server);
    const seed = Math.floor(Math.random() * 2 ** 31);
    const random = createRandom(seed);
    const writers: Writer[] = [];
    for (let i = 0; i < 3; i++) {
      writers.push(await openWriter(server, agent.token, conversation.id));
    }
    const documents = writers.map(({ document }) => document);
    const taken: Promise<unknown>[] = [];
    const words: string[] = [];
    for (let i = 0; i < 80; i++) {
      const { document, proxy } = random.pick(writers);
      if (random.int(0, 3) === 0) taken.push(outcome(document.take()));
      else {
        const word = `<${i}>`;
        words.push(word);
        // Behind another word, so that none is written into.
        const ends = [0, ...[...document.text.matchAll(/>/g)].map(({ index }) => index + 1)];
        document.splice(random.pick(ends), 0, word);
      }
      if (random.int(0, 12) === 0) {
        proxy.shut();
        proxy.open();
      }
      if (random.int(0, 1) === 0) await new Promise((go) => setTimeout(go, random.int(0, 60)));
    }
    const texts = await Promise.all(taken);
    await until(
      documents,
      () =>
        documents.every(({ isSettled, status }) => isSettled && status === "ready") &&
        new Set(documents.map(({ version }) => version)).size === 1,
      `rest, from seed ${seed}`,
    );
    const all = [...texts.filter((text) => typeof text === "string"), documents[0]!.text].join("");
    assert.deepEqual(all.match(/<\d+>/g)?.toSorted(), words.toSorted(), `seed ${seed}`);
    const rest = documents[0]!.text;
    assert.equal(await documents[0]!.take(), rest, `seed ${seed}`);
    closeAll(writers);
  },
  { LIMIT_MESSAGES_PER_MINUTE: "10000" },
);
