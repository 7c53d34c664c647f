/**
 * Which other nodes there are, and messages between nodes besides broadcasts. Every node publishes
 * a heartbeat; a node that is silent for too long counts as gone, with everything that it had.
 */
import type { Broker } from "./broker.ts";

export interface Nodes {
  /** The name of this node. */
  readonly self: string;
  /** The names of the other nodes. */
  others(): string[];
  /** Sends a message to every other node, or to one. Does nothing where there can be no other. */
  publish(kind: string, data: unknown, to?: string): void;
  subscribe(kind: string, listener: (data: unknown, from: string) => void): void;
  /** The replies of all other nodes, without those that do not reply within a second. */
  request(kind: string, data: unknown): Promise<unknown[]>;
  /** @param reply computes the reply of this node */
  onRequest(kind: string, reply: (data: unknown) => unknown): void;
  /** That node needs the whole state of this one: it is new, or it missed messages. */
  onHello(listener: (node: string) => void): void;
  /**
   * Milliseconds since the last message of the node that has been silent longest; 0: there is none.
   */
  silenceMs(): number;
  /** That node is gone, with everything that it had: after its goodbye, or after a silence. */
  onGone(listener: (node: string, how: "goodbye" | "silent") => void): void;
  /** Broadcasts of other nodes may have been lost. */
  onLost(listener: () => void): void;
  /** Says goodbye to the other nodes. */
  close(): void;
}

export interface NodesOptions {
  self: string;
  broker: Broker;
  /** Milliseconds of silence after which another node is gone. */
  timeoutMs: number;
  /** Milliseconds from a node's goodbye until it is gone: its clients reconnect to other nodes. */
  graceMs: number;
  onError: (error: unknown) => void;
}

/**
 * Its fields and kinds are the same in all releases, because nodes of two releases run together.
 */
interface Envelope {
  from: string;
  /** The number of this node's last message to all nodes; a jump means that messages were lost. */
  n: number;
  to?: string;
  kind: string;
  data: unknown;
}

interface Other {
  receivedAt: number;
  /** The number of its last message to all nodes. */
  n: number;
  /** After its goodbye: when it counts as gone. */
  goneAt: number | null;
}

interface Request {
  waitingFor: Set<string>;
  replies: unknown[];
  resolve: () => void;
}

const REPLY_TIMEOUT_MS = 1000;

export function startNodes(options: NodesOptions): Nodes {
  const { self, broker, timeoutMs, graceMs, onError } = options;
  const others = new Map<string, Other>();
  const listeners = new Map<string, (data: unknown, from: string) => void>();
  const helloListeners: ((node: string) => void)[] = [];
  const goneListeners: ((node: string, how: "goodbye" | "silent") => void)[] = [];
  const lostListeners: (() => void)[] = [];
  const requests = new Map<number, Request>();
  /** Messages may have been lost. It is reported when it is known that there is another node. */
  let maybeLost = false;
  /**
   * Nodes whose whole state was requested and has not arrived; each heartbeat requests it again.
   */
  const incomplete = new Set<string>();
  let published = 0;
  let lastRequest = 0;
  let lastBeat = performance.now();

  function publish(kind: string, data: unknown, to?: string): void {
    if (broker.isSingleNode) return;
    if (to === undefined) published++;
    const envelope: Envelope = { from: self, n: published, kind, data };
    broker.publishToNodes(to === undefined ? envelope : { ...envelope, to });
  }

  function requestState(node: string): void {
    incomplete.add(node);
    publish("hello", null, node);
  }

  function receive({ from, n, to, kind, data }: Envelope): void {
    if (from === self || (to !== undefined && to !== self)) return;
    if (kind === "bye") {
      const other = others.get(from);
      if (other !== undefined) other.goneAt = performance.now() + graceMs;
      stopWaitingFor(from);
      return;
    }
    const known = others.get(from);
    const isComplete = known !== undefined && n === known.n + (to === undefined ? 1 : 0);
    others.set(from, { receivedAt: performance.now(), n, goneAt: null });
    if (!isComplete) requestState(from);
    if (kind === "hello") {
      for (const listener of helloListeners) listener(from);
      // It follows the state on the same way, and is lost if that is lost.
      publish("whole", null, from);
    } else listeners.get(kind)?.(data, from);
    if (maybeLost) {
      maybeLost = false;
      for (const listener of lostListeners) listener();
    }
  }

  /** That node replies to nothing any more. */
  function stopWaitingFor(node: string): void {
    for (const request of requests.values()) {
      request.waitingFor.delete(node);
      if (request.waitingFor.size === 0) request.resolve();
    }
  }

  function remove(node: string, { goneAt }: Other): void {
    others.delete(node);
    incomplete.delete(node);
    stopWaitingFor(node);
    const how = goneAt === null ? "silent" : "goodbye";
    for (const listener of goneListeners) listener(node, how);
  }

  function beat(): void {
    const now = performance.now();
    const wasStalled = now - lastBeat > timeoutMs / 2;
    lastBeat = now;
    publish("alive", null);
    for (const node of incomplete) requestState(node);
    for (const [node, other] of others) {
      // This process was stalled, and has not read yet what the others sent in that time.
      if (wasStalled) other.receivedAt = now;
      if (now > (other.goneAt ?? other.receivedAt + timeoutMs)) remove(node, other);
    }
  }

  listeners.set("alive", () => {});
  listeners.set("whole", (_, from) => void incomplete.delete(from));
  listeners.set("answer", (data) => {
    const { question, from, answer } = data as { question: number; from: string; answer: unknown };
    const request = requests.get(question);
    if (request === undefined || !request.waitingFor.delete(from)) return;
    request.replies.push(answer);
    if (request.waitingFor.size === 0) request.resolve();
  });
  broker.onNodeMessage((message) => {
    try {
      receive(message as Envelope);
    } catch (error) {
      onError(error);
    }
  });
  broker.onGap(() => {
    maybeLost = true;
    for (const node of others.keys()) incomplete.add(node);
    publish("hello", null);
  });
  const timer = broker.isSingleNode ? undefined : setInterval(beat, timeoutMs / 5);
  publish("hello", null);

  const present = () => [...others].filter(([, { goneAt }]) => goneAt === null);

  return {
    self,
    others: () => present().map(([name]) => name),
    silenceMs() {
      const now = performance.now();
      return present().reduce((most, [, { receivedAt }]) => Math.max(most, now - receivedAt), 0);
    },
    publish,
    subscribe: (kind, listener) => void listeners.set(kind, listener),
    request(kind, data) {
      const waitingFor = new Set(present().map(([name]) => name));
      if (waitingFor.size === 0) return Promise.resolve([]);
      const question = ++lastRequest;
      return new Promise((resolve) => {
        const replies: unknown[] = [];
        const done = () => {
          clearTimeout(timeout);
          requests.delete(question);
          resolve(replies);
        };
        const timeout = setTimeout(done, REPLY_TIMEOUT_MS);
        requests.set(question, { waitingFor, replies, resolve: done });
        publish(kind, { question, data });
      });
    },
    onRequest(kind, reply) {
      listeners.set(kind, (message, from) => {
        const { question, data } = message as { question: number; data: unknown };
        publish("answer", { question, from: self, answer: reply(data) }, from);
      });
    },
    onHello: (listener) => void helloListeners.push(listener),
    onGone: (listener) => void goneListeners.push(listener),
    onLost: (listener) => void lostListeners.push(listener),
    close() {
      clearInterval(timer);
      publish("bye", null);
      for (const request of [...requests.values()]) request.resolve();
    },
  };
}
