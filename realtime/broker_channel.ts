/**
 * The broker of the workers of one `deno serve --parallel`: a BroadcastChannel. The runtime drops
 * what a worker that is busy for a moment has not taken (256 posts for the whole process, without
 * a word), so posts are few, numbered, and kept for a while: who misses one asks for it again.
 */
import type { Broadcast, Broker, BrokerListener } from "./broker.ts";

export interface ChannelBrokerOptions {
  /** Installations with different names do not hear each other. */
  name: string;
  /** This node's name, different from every other's. */
  node: string;
  /** Posts that are kept to be sent again, in UTF-16 units. */
  maxKept: number;
  onError: (error: unknown) => void;
}

/** For one room, or for the nodes themselves (""), as JSON. */
type Item = [room: string, json: string];

type Post =
  | { from: string; n: number; items: Item[]; to?: string }
  /** The last number so far: after it, silence; without it, nobody would miss the last post. */
  | { from: string; last: number }
  | { from: string; to: string; again: [first: number, last: number] }
  /** What was asked for is not kept any more; the next one is. */
  | { from: string; to: string; lost: number }
  | { from: string; end: true };

/** What is known of another node. */
interface Peer {
  /** The number of the next post to hand on. */
  next: number;
  /** The highest number that is known to have been posted. */
  last: number;
  /** Posts that came too early, because one before them is missing. */
  early: Map<number, Item[]>;
  /** Waits for what was asked for, up to this number. */
  asking: { timer: ReturnType<typeof setTimeout>; upTo: number } | null;
  /** How often in vain. */
  asked: number;
}

const NODES = "";
/** Posts of one busy node are this far apart at least; what comes meanwhile shares the next. */
const APART_MS = 1;
const LAST_MS = 50;
const ASK_AGAIN_MS = 100;
const ASK_TIMES = 30;
/** Posts sent again at once; more would only be dropped again. */
const AGAIN_AT_ONCE = 64;
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
  let pause: ReturnType<typeof setTimeout> | undefined;
  let quiet: ReturnType<typeof setTimeout> | undefined;
  let listener: BrokerListener = () => {};
  let nodesListener: (message: unknown) => void = () => {};
  let gapListener = () => {};
  let closed = false;

  const post = (message: Post) => channel.postMessage(message);

  function send(item: Item): void {
    if (closed) return;
    waiting.push(item);
    if (pause === undefined) flush();
  }

  function flush(): void {
    pause = undefined;
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
    pause = setTimeout(flush, APART_MS);
    clearTimeout(quiet);
    quiet = setTimeout(() => post({ from: node, last: number }), LAST_MS);
  }

  function handle(items: Item[]): void {
    for (const [room, json] of items) {
      try {
        if (room === NODES) nodesListener(JSON.parse(json));
        else if (rooms.has(room)) listener(JSON.parse(json) as Broadcast);
      } catch (error) {
        onError(error);
      }
    }
  }

  /** Hands on what stands in order, and asks for what is missing before the rest. */
  function advance(from: string, peer: Peer): void {
    for (;;) {
      const items = peer.early.get(peer.next);
      if (items === undefined) break;
      peer.early.delete(peer.next++);
      peer.asked = 0;
      handle(items);
    }
    const complete = peer.next > peer.last;
    if (peer.asking !== null && (complete || peer.next > peer.asking.upTo)) forgetAsking(peer);
    if (!complete && peer.asking === null) ask(from, peer);
  }

  function ask(from: string, peer: Peer): void {
    const first = Math.min(peer.last + 1, ...peer.early.keys());
    if (peer.asked++ >= ASK_TIMES || peer.early.size > MAX_EARLY) {
      skip(from, peer, first);
      return;
    }
    const upTo = Math.min(first, peer.next + AGAIN_AT_ONCE) - 1;
    const timer = setTimeout(() => {
      peer.asking = null;
      advance(from, peer);
    }, ASK_AGAIN_MS);
    peer.asking = { timer, upTo };
    post({ from: node, to: from, again: [peer.next, upTo] });
  }

  function forgetAsking(peer: Peer): void {
    clearTimeout(peer.asking?.timer);
    peer.asking = null;
  }

  /** What stands before `next` is not to be had any more. */
  function skip(from: string, peer: Peer, next: number): void {
    forgetAsking(peer);
    peer.asked = 0;
    if (next > peer.next) {
      peer.next = next;
      gapListener();
    }
    for (const n of peer.early.keys()) if (n < peer.next) peer.early.delete(n);
    advance(from, peer);
  }

  function answer(to: string, [first, last]: [number, number]): void {
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
    if ("again" in message) return answer(from, message.again);
    const peer = peers.get(from);
    if ("end" in message) {
      if (peer !== undefined) forgetAsking(peer);
      peers.delete(from);
      return;
    }
    if ("lost" in message) {
      if (peer === undefined) return;
      peer.last = Math.max(peer.last, message.lost - 1);
      return skip(from, peer, Math.min(message.lost, ...peer.early.keys()));
    }
    const last = "n" in message ? message.n : message.last;
    const known = peer ?? { next: last + 1, last, early: new Map(), asking: null, asked: 0 };
    if ("n" in message) {
      // What it said before this node heard of it is not missing.
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
    alone: false,
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
    listen(next) {
      listener = next;
    },
    tell: (message) => send([NODES, JSON.stringify(message)]),
    listenToNodes(next) {
      nodesListener = next;
    },
    onGap(next) {
      gapListener = next;
    },
    close() {
      if (closed) return Promise.resolve();
      clearTimeout(pause);
      flush();
      closed = true;
      post({ from: node, end: true });
      clearTimeout(pause);
      clearTimeout(quiet);
      for (const peer of peers.values()) forgetAsking(peer);
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
