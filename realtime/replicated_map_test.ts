import assert from "node:assert/strict";
import type { Broker } from "./broker.ts";
import { createChannelBroker } from "./broker_channel.ts";
import { type Nodes, startNodes } from "./nodes.ts";
import { createReplicatedMap, type ReplicatedMap } from "./replicated_map.ts";

interface Value {
  name: string;
}

interface Member {
  nodes: Nodes;
  broker: Broker;
  map: ReplicatedMap<Value>;
  /** "added a", "changed a x", "removed a", in order. */
  log: string[];
  lost: number;
  /** While true, messages of this node are lost. */
  mute: boolean;
  until(line: string): Promise<void>;
  names(): Record<string, string>;
}

/** Nodes over real channels; each has a map, and its messages can be lost. */
async function withMembers(fn: (add: () => Member) => Promise<void>): Promise<void> {
  const name = crypto.randomUUID();
  const members: Member[] = [];
  const errors: unknown[] = [];
  const onError = (error: unknown) => errors.push(error);
  function add(): Member {
    const self = `node-${members.length}`;
    const channel = createChannelBroker({ name, node: self, maxKept: 1 << 20, onError });
    const broker: Broker = {
      ...channel,
      publishToNodes: (message) => member.mute ? undefined : channel.publishToNodes(message),
    };
    const log: string[] = [];
    let waiters: (() => void)[] = [];
    const note = (line: string) => {
      log.push(line);
      const waiting = waiters;
      waiters = [];
      for (const waiter of waiting) waiter();
    };
    const member = { broker: channel, log, lost: 0, mute: false } as Member;
    member.until = async (line) => {
      const { promise, reject } = Promise.withResolvers<never>();
      const timer = setTimeout(() => reject(new Error(`${self} waited for "${line}"`)), 10_000);
      try {
        while (!log.includes(line)) {
          await Promise.race([promise, new Promise<void>((resolve) => waiters.push(resolve))]);
        }
      } finally {
        clearTimeout(timer);
      }
    };
    member.nodes = startNodes({ self, broker, timeoutMs: 500, graceMs: 100, onError });
    member.nodes.onLost(() => member.lost++);
    member.map = createReplicatedMap<Value>({
      nodes: member.nodes,
      name: "things",
      onAdded: (key) => note(`added ${key}`),
      onChanged: (key, { name }) => note(`changed ${key} ${name}`),
      onRemoved: (key) => note(`removed ${key}`),
    });
    member.names = () =>
      Object.fromEntries([...member.map.values()].map(({ name }) => [name[0]!, name]));
    members.push(member);
    return member;
  }
  try {
    await fn(add);
    assert.deepEqual(errors, []);
  } finally {
    for (const { nodes, broker } of members) {
      nodes.close();
      await broker.close();
    }
  }
}

Deno.test("an entry of one node is known to every node, until no node has it", () =>
  withMembers(async (add) => {
    const [a, b] = [add(), add()];
    a.map.add("x", { name: "x1" });
    await b.until("added x");
    b.map.add("x", { name: "x2" });
    assert.equal(b.map.get("x")!.name, "x1", "the first value stays");
    assert.deepEqual([a.map.size, b.map.size], [1, 1]);
    b.map.update("x", () => ({ name: "x3" }));
    await a.until("changed x x3");
    a.map.remove("x");
    b.map.add("y", { name: "y" });
    await a.until("added y");
    assert.equal(a.map.get("x")!.name, "x3");
    b.map.remove("x");
    await a.until("removed x");
    assert.deepEqual(a.log, ["added x", "changed x x3", "added y", "removed x"]);
    assert.deepEqual(b.log, ["added x", "changed x x3", "added y", "removed x"]);
    assert.deepEqual([a.map.localSize, b.map.localSize], [0, 1]);
  }));

Deno.test("a node that starts later receives all entries, in parts", () =>
  withMembers(async (add) => {
    const a = add();
    for (let n = 0; n < 1201; n++) a.map.add(`${n}`, { name: `${n}` });
    a.map.update("7", () => ({ name: "seven" }));
    const b = add();
    await b.until("added 1200");
    assert.equal(b.map.size, 1201);
    assert.equal(b.map.get("7")!.name, "seven");
    assert.deepEqual([...b.map.values()].length, 1201);
  }));

Deno.test("of two changes at the same moment the same one wins on every node", () =>
  withMembers(async (add) => {
    const [a, b] = [add(), add()];
    a.map.add("x", { name: "x" });
    await b.until("added x");
    for (let n = 0; n < 20; n++) {
      a.map.update("x", () => ({ name: `xa${n}` }));
      b.map.update("x", () => ({ name: `xb${n}` }));
    }
    a.map.add("end a", { name: "e" });
    b.map.add("end b", { name: "e" });
    await Promise.all([a.until("added end b"), b.until("added end a")]);
    assert.equal(a.map.get("x")!.name, b.map.get("x")!.name);
  }));

Deno.test("a silent node is removed with its entries, which are back after its next message", () =>
  withMembers(async (add) => {
    const [a, b] = [add(), add()];
    a.map.add("x", { name: "x" });
    a.map.add("both", { name: "both" });
    b.map.add("both", { name: "both" });
    await b.until("added x");
    a.mute = true;
    await b.until("removed x");
    assert.deepEqual(b.names(), { b: "both" });
    assert.deepEqual(b.nodes.others(), []);
    a.mute = false;
    b.log.length = 0;
    await b.until("added x");
    assert.deepEqual(b.nodes.others(), ["node-0"]);
  }));

Deno.test("a lost request for all entries is sent again", () =>
  withMembers(async (add) => {
    const [a, b] = [add(), add()];
    a.map.add("x", { name: "x" });
    await b.until("added x");
    a.mute = true;
    await b.until("removed x");
    b.log.length = 0;
    // The first message that it receives makes it send a request, which is lost.
    b.mute = true;
    a.mute = false;
    a.map.add("y", { name: "y" });
    await b.until("added y");
    b.mute = false;
    await b.until("added x");
  }));

Deno.test("lost messages are noticed by their numbers, and all entries are sent again", () =>
  withMembers(async (add) => {
    const [a, b] = [add(), add()];
    a.map.add("kept", { name: "kept" });
    a.map.add("left", { name: "left" });
    await b.until("added left");
    a.mute = true;
    a.map.remove("left");
    a.map.add("new", { name: "new" });
    a.mute = false;
    // The next heartbeat shows that two messages are missing.
    await Promise.all([b.until("added new"), b.until("removed left")]);
    assert.deepEqual(b.names(), { k: "kept", n: "new" });
  }));

Deno.test("request() collects the replies of all other nodes, and does not wait for one that is gone", () =>
  withMembers(async (add) => {
    const [a, b, c] = [add(), add(), add()];
    b.nodes.onRequest("double", (n) => 2 * Number(n));
    c.nodes.onRequest("double", (n) => 2 * Number(n) + 1);
    for (const member of [b, c]) {
      member.map.add(`${member.nodes.self}`, { name: "x" });
      await a.until(`added ${member.nodes.self}`);
    }
    const answers = await a.nodes.request("double", 21) as number[];
    assert.deepEqual(answers.toSorted(), [42, 43]);
    const replies = a.nodes.request("double", 1);
    c.mute = true;
    c.nodes.close();
    assert.deepEqual((await replies as number[]).includes(2), true);
  }));
