import assert from "node:assert/strict";
import type { Conversation, ConversationLabel } from "../protocol/model.ts";
import { createRandom } from "./faults/random.ts";
import { call, cast, post } from "./support/http.ts";
import { makeLabel } from "./support/labels.ts";
import { onNodes } from "./support/nodes.ts";
import { onEitherEngine, type TestServer } from "./support/server.ts";
import { connect, type TestSocket } from "./support/socket.ts";

const STEPS = 60;
const AT_ONCE = 6;

/** What the log told, in its order: the labels after each change of them. */
function toldBy(socket: TestSocket): [number, string[]][] {
  return socket.received.flatMap((message): [number, string[]][] => {
    if (message.type !== "conversation_changed" || message.data.labels === undefined) return [];
    return [[message.data.seq, idsOf(message.data.labels)]];
  });
}

function idsOf(labels: readonly ConversationLabel[] = []): string[] {
  return labels.map(({ id }) => id);
}

/**
 * Changes of labels, messages and a removal at the same time, on whatever node: whoever listened,
 * whoever comes later and the database say the same in the end.
 */
async function disagree(nodes: TestServer[], seed: number): Promise<void> {
  const random = createRandom(seed);
  const first = nodes[0]!;
  const { agent, visitor, conversation } = await cast(first);
  const { token } = agent;
  const { id } = conversation;
  const labels: string[] = [];
  for (let i = 0; i < 6; i++) labels.push((await makeLabel(first, token, `label ${i}`)).id);
  const doomed = labels[0]!;
  const listeners = await Promise.all(nodes.map((node) => connect(node, { token })));
  const { epoch } = await listeners[0]!.ack("join", { conversationId: id });
  for (const other of listeners.slice(1)) await other.ack("join", { conversationId: id });

  async function step(at: number): Promise<void> {
    const node = random.pick(nodes);
    const what = at === STEPS / 2 ? "remove" : random.weighted({ label: 5, write: 3 });
    if (what === "remove") {
      const path = `/api/labels/${doomed}`;
      assert.equal((await call(node, "DELETE", path, { token })).status, 204);
    } else if (what === "write") {
      await post(node, visitor.sessionId, id, `message ${at}`);
    } else {
      const wanted = labels.filter(() => random.number() < 0.4);
      const others = labels.filter((one) => !wanted.includes(one) && random.number() < 0.4);
      const body = random.number() < 0.5
        ? { labels: wanted }
        : { addLabels: wanted, removeLabels: others };
      const path = `/api/conversations/${id}`;
      const { status } = await call(node, "PATCH", path, { token, body });
      // 422 where it names the label that has just gone.
      assert.ok(status === 200 || (status === 422 && wanted.includes(doomed)), `${status}`);
    }
  }
  const steps = Array.from({ length: STEPS }, (_, at) => at)[Symbol.iterator]();
  await Promise.all(Array.from({ length: AT_ONCE }, async () => {
    for (const at of steps) await step(at);
  }));

  const { body: last } = await call<Conversation>(first, "GET", `/api/conversations/${id}`, {
    token,
  });
  const truth = idsOf(last.labels);
  assert.ok(!truth.includes(doomed));
  const late = await connect(first, { token });
  const missed = await late.ack("join", { conversationId: id, epoch, seq: 0 });
  assert.deepEqual(
    missed.events.map((event: { data: { seq: number } }) => event.data.seq),
    Array.from({ length: last.lastSeq }, (_, i) => i + 1),
  );
  const log = missed.events.flatMap(
    ({ data }: { data: { seq: number; labels?: ConversationLabel[] } }) =>
      data.labels === undefined ? [] : [[data.seq, idsOf(data.labels)]],
  );
  // What the last change said, but for the label that was removed from under it.
  assert.deepEqual(log.at(-1)![1].filter((one: string) => one !== doomed), truth);
  for (const listener of listeners) {
    const row = await listener.event(
      "conversation",
      (data) => data.conversation.lastSeq === last.lastSeq,
    );
    assert.deepEqual(idsOf(row.conversation.labels), truth);
    await listener.until(() => toldBy(listener).length === log.length, "every change");
    assert.deepEqual(toldBy(listener), log);
    // Every row on the way there had the labels of its place in the log.
    for (const message of listener.received) {
      if (message.type !== "conversation") continue;
      const { lastSeq, labels } = message.data.conversation;
      const then = log.findLast(([seq]: [number, string[]]) => seq <= lastSeq)?.[1] ?? [];
      const stays = (one: string) => one !== doomed;
      assert.deepEqual(idsOf(labels).filter(stays), then.filter(stays), `at ${lastSeq}`);
    }
  }
  await Promise.all([...listeners, late].map((socket) => socket.close()));
}

onEitherEngine(
  "labels that many change at once are the same for everybody in the end",
  (server) => disagree([server], 1),
);

onNodes(
  "labels that many change at once on two nodes are the same for everybody in the end",
  (nodes) => disagree(nodes, 2),
);
