/**
 * The broker of the workers of one `deno serve --parallel`: a BroadcastChannel. The runtime
 * silently drops posts that a busy worker has not read (256 for the whole process). So posts are
 * batched, numbered, and kept for a while; a node that misses one requests it again.
 */
import type { Broadcast, Broker, BrokerListener } from "./broker.ts";

export interface ChannelBrokerOptions {
  /** Installations with different names do not receive each other's messages. */
  name: string;
  /** This node's name, different from every other's. */
  node: string;
  /** The size of the posts that are kept to be sent again, in UTF-16 units. */
  maxKept: number;
  onError: (error: unknown) => void;
}

/** A message for a room, or for the nodes (""), as JSON. */
type Item = [room: string, json: string];

type Post =
  | { from: string; n: number; items: Item[]; to?: string }
  /**
   * The number of the last post, sent after a pause: otherwise nobody would notice that it is
   * missing.
   */
  | { from: string; last: number }
  | { from: string; to: string; again: [first: number, last: number] }
  /** The requested posts are not kept any more; `lost` is the oldest that is. */
  | { from: string; to: string; lost: number }
  | { from: string; end: true };

/** What this node knows of another one. */
interface Peer {
  /** The number of the next post to deliver. */
  next: number;
  /** The highest number that was posted, as far as is known. */
  last: number;
  /** Posts that arrived while an earlier one is missing. */
  early: Map<number, Item[]>;
  /** A request for missing posts up to this number, and its timeout. */
  request: { timer: ReturnType<typeof setTimeout>; upTo: number } | null;
  /** How many requests in a row were not answered. */
  attempts: number;
}

const NODES = "";
/** The shortest time between two posts; messages in between share the next one. */
const POST_INTERVAL_MS = 1;
const LAST_MS = 50;
const REQUEST_TIMEOUT_MS = 100;
const MAX_ATTEMPTS = 30;
/** Posts in one request; more would be dropped again. */
const MAX_REQUESTED = 64;
const MAX_EARLY = 4096;

export function createChannelBroker(options: ChannelBrokerOptions): Broker {
  const { node, maxKept, onError } = options;
  const channel = new BroadcastChannel(`parley ${options.name}`);
  const rooms = new Set<string>();
  const peers = new Map<string, Peer>();
  const kept = new Map<number, Item[]>();
  let keptSize = 0;
  let number = 0;
  let waiting: Item[] = [];
  let postTimer: ReturnType<typeof setTimeout> | undefined;
  let lastTimer: ReturnType<typeof setTimeout> | undefined;
  let listener: BrokerListener = () => {};
  let nodesListener: (message: unknown) => void = () => {};
  let gapListener = () => {};
  let closed = false;

  const post = (message: Post) => channel.postMessage(message);

  function send(item: Item): void {
    if (closed) return;
    waiting.push(item);
    if (postTimer === undefined) flush();
  }

  function flush(): void {
    postTimer = undefined;
    if (waiting.length === 0) return;
    const items = waiting;
    waiting = [];
    const n = ++number;
    kept.set(n, items);
    keptSize += sizeOf(items);
    for (const [old, dropped] of kept) {
      if (keptSize <= maxKept || old === n) break;
      kept.delete(old);
      keptSize -= sizeOf(dropped);
    }
    post({ from: node, n, items });
    postTimer = setTimeout(flush, POST_INTERVAL_MS);
    clearTimeout(lastTimer);
    lastTimer = setTimeout(() => post({ from: node, last: number }), LAST_MS);
  }

  function deliver(items: Item[]): void {
    for (const [room, json] of items) {
      try {
        if (room === NODES) nodesListener(JSON.parse(json));
        else if (rooms.has(room)) listener(JSON.parse(json) as Broadcast);
      } catch (error) {
        onError(error);
      }
    }
  }

  /** Delivers the posts that are in order, and requests those that are missing. */
  function advance(from: string, peer: Peer): void {
    for (;;) {
      const items = peer.early.get(peer.next);
      if (items === undefined) break;
      peer.early.delete(peer.next++);
      peer.attempts = 0;
      deliver(items);
    }
    const isComplete = peer.next > peer.last;
    if (peer.request !== null && (isComplete || peer.next > peer.request.upTo)) endRequest(peer);
    if (!isComplete && peer.request === null) requestMissing(from, peer);
  }

  function requestMissing(from: string, peer: Peer): void {
    const first = Math.min(peer.last + 1, ...peer.early.keys());
    if (peer.attempts++ >= MAX_ATTEMPTS || peer.early.size > MAX_EARLY) {
      skip(from, peer, first);
      return;
    }
    const upTo = Math.min(first, peer.next + MAX_REQUESTED) - 1;
    const timer = setTimeout(() => {
      peer.request = null;
      advance(from, peer);
    }, REQUEST_TIMEOUT_MS);
    peer.request = { timer, upTo };
    post({ from: node, to: from, again: [peer.next, upTo] });
  }

  function endRequest(peer: Peer): void {
    clearTimeout(peer.request?.timer);
    peer.request = null;
  }

  /** The posts before `next` are lost. */
  function skip(from: string, peer: Peer, next: number): void {
    endRequest(peer);
    peer.attempts = 0;
    if (next > peer.next) {
      peer.next = next;
      gapListener();
    }
    for (const n of peer.early.keys()) if (n < peer.next) peer.early.delete(n);
    advance(from, peer);
  }

  function sendAgain(to: string, [first, last]: [number, number]): void {
    const oldest = kept.keys().next().value ?? number + 1;
    if (first < oldest) post({ from: node, to, lost: oldest });
    for (let n = Math.max(first, oldest); n <= last; n++) {
      const items = kept.get(n);
      if (items !== undefined) post({ from: node, to, n, items });
    }
  }

  function receive(message: Post): void {
    const { from } = message;
    if ("to" in message && message.to !== undefined && message.to !== node) return;
    if ("again" in message) return sendAgain(from, message.again);
    const peer = peers.get(from);
    if ("end" in message) {
      if (peer !== undefined) endRequest(peer);
      peers.delete(from);
      return;
    }
    if ("lost" in message) {
      if (peer === undefined) return;
      peer.last = Math.max(peer.last, message.lost - 1);
      return skip(from, peer, Math.min(message.lost, ...peer.early.keys()));
    }
    const last = "n" in message ? message.n : message.last;
    const known = peer ?? { next: last + 1, last, early: new Map(), request: null, attempts: 0 };
    if ("n" in message) {
      // Posts from before this node knew of it are not missing.
      if (peer === undefined) known.next = message.n;
      if (message.n >= known.next) known.early.set(message.n, message.items);
    }
    peers.set(from, known);
    known.last = Math.max(known.last, last);
    advance(from, known);
  }

  channel.onmessage = ({ data }) => {
    if (closed) return;
    try {
      receive(data as Post);
    } catch (error) {
      onError(error);
    }
  };

  return {
    isSingleNode: false,
    connected: true,
    publish(broadcast) {
      if (rooms.has(broadcast.room)) listener(broadcast);
      send([broadcast.room, JSON.stringify(broadcast)]);
    },
    subscribe(room) {
      rooms.add(room);
      return undefined;
    },
    unsubscribe: (room) => void rooms.delete(room),
    onBroadcast(next) {
      listener = next;
    },
    publishToNodes: (message) => send([NODES, JSON.stringify(message)]),
    onNodeMessage(next) {
      nodesListener = next;
    },
    onGap(next) {
      gapListener = next;
    },
    close() {
      if (closed) return Promise.resolve();
      clearTimeout(postTimer);
      flush();
      closed = true;
      post({ from: node, end: true });
      clearTimeout(postTimer);
      clearTimeout(lastTimer);
      for (const peer of peers.values()) endRequest(peer);
      channel.close();
      rooms.clear();
      return Promise.resolve();
    },
  };
}

function sizeOf(items: Item[]): number {
  let size = 0;
  for (const [room, json] of items) size += room.length + json.length;
  return size;
}
