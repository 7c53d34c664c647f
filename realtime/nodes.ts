/**
 * Which other nodes there are, and what nodes say to each other beside broadcasts. Every node says
 * that it is alive; who says nothing for a while is gone, with everything that it had.
 */
import type { Broker } from "./broker.ts";

export interface Nodes {
  /** The name of this node. */
  readonly self: string;
  /** The names of the others that are there. */
  others(): string[];
  /** To every other node, or to one. It costs nothing where there can be no other. */
  tell(kind: string, data: unknown, to?: string): void;
  hear(kind: string, listener: (data: unknown, from: string) => void): void;
  /** Asks every other node; those that are silent for a second are left out. */
  ask(kind: string, data: unknown): Promise<unknown[]>;
  answer(kind: string, listener: (data: unknown) => unknown): void;
  /** A node has to be told everything that this one would tell: it is new, or it missed something. */
  onHello(listener: (node: string) => void): void;
  /** Milliseconds since the other node was heard that has been silent longest; 0: there is none. */
  silenceMs(): number;
  /** What that node had is gone, after its goodbye or without one. */
  onGone(listener: (node: string, how: "goodbye" | "silent") => void): void;
  /** Broadcasts of other nodes may have been lost. */
  onLost(listener: () => void): void;
  /** Says goodbye. */
  close(): void;
}

export interface NodesOptions {
  self: string;
  broker: Broker;
  /** Milliseconds of silence after which another node is gone. */
  timeoutMs: number;
  /** Milliseconds after a goodbye until what that node had is gone; its clients come to the others. */
  graceMs: number;
  onError: (error: unknown) => void;
}

interface Envelope {
  from: string;
  /** Counts what this node tells everybody; a jump means that something was lost. */
  n: number;
  to?: string;
  kind: string;
  data: unknown;
}

interface Other {
  heardAt: number;
  /** The number of its last message to everybody. */
  n: number;
  /** Set with its goodbye: when it counts as gone. */
  goneAt: number | null;
}

const ANSWER_MS = 1000;

export function startNodes(options: NodesOptions): Nodes {
  const { self, broker, timeoutMs, graceMs, onError } = options;
  const others = new Map<string, Other>();
  const listeners = new Map<string, (data: unknown, from: string) => void>();
  const helloListeners: ((node: string) => void)[] = [];
  const goneListeners: ((node: string, how: "goodbye" | "silent") => void)[] = [];
  const questions = new Map<number, { left: Set<string>; answers: unknown[]; done: () => void }>();
  const beatMs = timeoutMs / 5;
  const lostListeners: (() => void)[] = [];
  /** Something may be lost; it matters only if there is somebody who said it. */
  let maybeLost = false;
  /** Asked for everything that they have; until they answer, each sign of life asks again. */
  const asked = new Set<string>();
  let told = 0;
  let lastQuestion = 0;
  let lastBeat = performance.now();

  function tell(kind: string, data: unknown, to?: string): void {
    if (broker.alone) return;
    if (to === undefined) told++;
    const envelope: Envelope = { from: self, n: told, kind, data };
    broker.tell(to === undefined ? envelope : { ...envelope, to });
  }

  /** The question or its answer may be lost, of which no number tells. */
  function askForAll(node: string): void {
    asked.add(node);
    tell("hello", null, node);
  }

  function receive({ from, n, to, kind, data }: Envelope): void {
    if (from === self || (to !== undefined && to !== self)) return;
    if (kind === "bye") {
      const other = others.get(from);
      if (other !== undefined) other.goneAt = performance.now() + graceMs;
      settle(from);
      return;
    }
    const known = others.get(from);
    const complete = known !== undefined && n === known.n + (to === undefined ? 1 : 0);
    others.set(from, { heardAt: performance.now(), n, goneAt: null });
    if (!complete) askForAll(from);
    if (kind === "hello") {
      for (const listener of helloListeners) listener(from);
      // Behind all that it asked for, and lost where that was lost.
      tell("whole", null, from);
    } else listeners.get(kind)?.(data, from);
    if (maybeLost) {
      maybeLost = false;
      for (const listener of lostListeners) listener();
    }
  }

  /** This node answers nothing any more. */
  function settle(node: string): void {
    for (const question of questions.values()) {
      question.left.delete(node);
      if (question.left.size === 0) question.done();
    }
  }

  function gone(node: string, { goneAt }: Other): void {
    others.delete(node);
    asked.delete(node);
    settle(node);
    const how = goneAt === null ? "silent" : "goodbye";
    for (const listener of goneListeners) listener(node, how);
  }

  function beat(): void {
    const now = performance.now();
    const stalled = now - lastBeat > timeoutMs / 2;
    lastBeat = now;
    tell("alive", null);
    for (const node of asked) askForAll(node);
    for (const [node, other] of others) {
      // This node slept itself: what the others said meanwhile waits to be read.
      if (stalled) other.heardAt = now;
      if (now > (other.goneAt ?? other.heardAt + timeoutMs)) gone(node, other);
    }
  }

  listeners.set("alive", () => {});
  listeners.set("whole", (_, from) => void asked.delete(from));
  listeners.set("answer", (data) => {
    const { question, from, answer } = data as { question: number; from: string; answer: unknown };
    const asked = questions.get(question);
    if (asked === undefined || !asked.left.delete(from)) return;
    asked.answers.push(answer);
    if (asked.left.size === 0) asked.done();
  });
  broker.listenToNodes((message) => {
    try {
      receive(message as Envelope);
    } catch (error) {
      onError(error);
    }
  });
  broker.onGap(() => {
    maybeLost = true;
    for (const node of others.keys()) asked.add(node);
    tell("hello", null);
  });
  const timer = broker.alone ? undefined : setInterval(beat, beatMs);
  tell("hello", null);

  return {
    self,
    others: () => [...others].filter(([, other]) => other.goneAt === null).map(([name]) => name),
    silenceMs() {
      const there = [...others.values()].filter(({ goneAt }) => goneAt === null);
      const now = performance.now();
      return there.reduce((most, { heardAt }) => Math.max(most, now - heardAt), 0);
    },
    tell,
    hear: (kind, listener) => void listeners.set(kind, listener),
    ask(kind, data) {
      const left = new Set(
        [...others].filter(([, other]) => other.goneAt === null).map(([name]) => name),
      );
      if (left.size === 0) return Promise.resolve([]);
      const question = ++lastQuestion;
      return new Promise((resolve) => {
        const answers: unknown[] = [];
        const done = () => {
          clearTimeout(timeout);
          questions.delete(question);
          resolve(answers);
        };
        const timeout = setTimeout(done, ANSWER_MS);
        questions.set(question, { left, answers, done });
        tell(kind, { question, data });
      });
    },
    answer(kind, listener) {
      listeners.set(kind, (message, from) => {
        const { question, data } = message as { question: number; data: unknown };
        tell("answer", { question, from: self, answer: listener(data) }, from);
      });
    },
    onHello: (listener) => void helloListeners.push(listener),
    onGone: (listener) => void goneListeners.push(listener),
    onLost: (listener) => void lostListeners.push(listener),
    close() {
      clearInterval(timer);
      tell("bye", null);
      for (const question of [...questions.values()]) question.done();
    },
  };
}
