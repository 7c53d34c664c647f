import assert from "node:assert/strict";
import type { Broker } from "./broker.ts";
import { createChannelBroker } from "./broker_channel.ts";
import { type Nodes, startNodes } from "./nodes.ts";
import { createRoster, type Roster } from "./roster.ts";

interface Value {
  name: string;
}

interface Member {
  nodes: Nodes;
  broker: Broker;
  roster: Roster<Value>;
  /** "came a", "changed a x", "gone a" in the order of happening. */
  log: string[];
  lost: number;
  /** Loses what this node tells while it is true. */
  mute: boolean;
  until(line: string): Promise<void>;
  names(): Record<string, string>;
}

/** Nodes over real channels; each has a roster, and can lose what it says. */
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
      tell: (message) => member.mute ? undefined : channel.tell(message),
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
    member.roster = createRoster<Value>({
      nodes: member.nodes,
      name: "things",
      onCame: (key) => note(`came ${key}`),
      onChanged: (key, { name }) => note(`changed ${key} ${name}`),
      onGone: (key) => note(`gone ${key}`),
    });
    member.names = () =>
      Object.fromEntries([...member.roster.values()].map(({ name }) => [name[0]!, name]));
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

Deno.test("what one node has every node knows, until no node has it", () =>
  withMembers(async (add) => {
    const [a, b] = [add(), add()];
    a.roster.add("x", { name: "x1" });
    await b.until("came x");
    b.roster.add("x", { name: "x2" });
    assert.equal(b.roster.get("x")!.name, "x1", "its value stays");
    assert.deepEqual([a.roster.size, b.roster.size], [1, 1]);
    b.roster.change("x", () => ({ name: "x3" }));
    await a.until("changed x x3");
    a.roster.remove("x");
    b.roster.add("y", { name: "y" });
    await a.until("came y");
    assert.equal(a.roster.get("x")!.name, "x3");
    b.roster.remove("x");
    await a.until("gone x");
    assert.deepEqual(a.log, ["came x", "changed x x3", "came y", "gone x"]);
    assert.deepEqual(b.log, ["came x", "changed x x3", "came y", "gone x"]);
    assert.deepEqual([a.roster.sizeHere, b.roster.sizeHere], [0, 1]);
  }));

Deno.test("a node that comes later is told everything, in parts", () =>
  withMembers(async (add) => {
    const a = add();
    for (let n = 0; n < 1201; n++) a.roster.add(`${n}`, { name: `${n}` });
    a.roster.change("7", () => ({ name: "seven" }));
    const b = add();
    await b.until("came 1200");
    assert.equal(b.roster.size, 1201);
    assert.equal(b.roster.get("7")!.name, "seven");
    assert.deepEqual([...b.roster.values()].length, 1201);
  }));

Deno.test("of two changes at the same moment the same one holds everywhere", () =>
  withMembers(async (add) => {
    const [a, b] = [add(), add()];
    a.roster.add("x", { name: "x" });
    await b.until("came x");
    for (let n = 0; n < 20; n++) {
      a.roster.change("x", () => ({ name: `xa${n}` }));
      b.roster.change("x", () => ({ name: `xb${n}` }));
    }
    a.roster.add("end a", { name: "e" });
    b.roster.add("end b", { name: "e" });
    await Promise.all([a.until("came end b"), b.until("came end a")]);
    assert.equal(a.roster.get("x")!.name, b.roster.get("x")!.name);
  }));

Deno.test("a silent node is gone with all it had; when it speaks again, it has it again", () =>
  withMembers(async (add) => {
    const [a, b] = [add(), add()];
    a.roster.add("x", { name: "x" });
    a.roster.add("both", { name: "both" });
    b.roster.add("both", { name: "both" });
    await b.until("came x");
    a.mute = true;
    await b.until("gone x");
    assert.deepEqual(b.names(), { b: "both" });
    assert.deepEqual(b.nodes.others(), []);
    a.mute = false;
    b.log.length = 0;
    await b.until("came x");
    assert.deepEqual(b.nodes.others(), ["node-0"]);
  }));

Deno.test("a question for everything that is lost is asked again", () =>
  withMembers(async (add) => {
    const [a, b] = [add(), add()];
    a.roster.add("x", { name: "x" });
    await b.until("came x");
    a.mute = true;
    await b.until("gone x");
    b.log.length = 0;
    // What it hears first makes it ask, and nobody hears that.
    b.mute = true;
    a.mute = false;
    a.roster.add("y", { name: "y" });
    await b.until("came y");
    b.mute = false;
    await b.until("came x");
  }));

Deno.test("what was lost on the way is noticed by the numbers, and told anew", () =>
  withMembers(async (add) => {
    const [a, b] = [add(), add()];
    a.roster.add("kept", { name: "kept" });
    a.roster.add("left", { name: "left" });
    await b.until("came left");
    a.mute = true;
    a.roster.remove("left");
    a.roster.add("new", { name: "new" });
    a.mute = false;
    // The next sign of life shows that two are missing.
    await Promise.all([b.until("came new"), b.until("gone left")]);
    assert.deepEqual(b.names(), { k: "kept", n: "new" });
  }));

Deno.test("ask() gathers the answers of all others, and does not wait for who is gone", () =>
  withMembers(async (add) => {
    const [a, b, c] = [add(), add(), add()];
    b.nodes.answer("double", (n) => 2 * Number(n));
    c.nodes.answer("double", (n) => 2 * Number(n) + 1);
    for (const member of [b, c]) {
      member.roster.add(`${member.nodes.self}`, { name: "x" });
      await a.until(`came ${member.nodes.self}`);
    }
    const answers = await a.nodes.ask("double", 21) as number[];
    assert.deepEqual(answers.toSorted(), [42, 43]);
    const asked = a.nodes.ask("double", 1);
    c.mute = true;
    c.nodes.close();
    assert.deepEqual((await asked as number[]).includes(2), true);
  }));
