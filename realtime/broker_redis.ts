/**
 * The broker of nodes on several machines: Redis publish and subscribe, a channel for each room.
 *
 * Redis may be away, frozen, slow, or answer nothing but errors, for any time. Nothing here is tried
 * again because it failed: what could not be published is dropped, and the other nodes are told so
 * by one notice, which goes out on a timer with backoff until one arrives.
 */
import type { Broadcast, Broker, BrokerListener } from "./broker.ts";
import { logBrokerBack, logBrokerLost } from "./log.ts";
import { createOutage } from "./outage.ts";
import { createRedisClient, isRefusal, reasonOf } from "./redis_client.ts";

export interface RedisBrokerOptions {
  /** redis:// or rediss://. */
  url: string;
  /** Installations with different names do not hear each other, also on one Redis server. */
  name: string;
  /** This node's name, different from every other's. */
  node: string;
  /** What may wait for Redis, in UTF-16 units; past it broadcasts are dropped, and the others told. */
  maxWaiting: number;
  onError: (error: unknown) => void;
  /** Milliseconds between two pings; after three times as much silence the connection is lost. */
  pingMs?: number;
  /** Milliseconds without a failure until an outage is over. */
  stableMs?: number;
  /** Once for each outage, with the server's host and the reason. */
  onLost?: (host: string, reason: string) => void;
  /** Once at its end, with its length in milliseconds. */
  onBack?: (host: string, ms: number) => void;
}

/** Redis answers, but not to this URL (password, rights, number of the database). */
export class RedisRefusedError extends Error {
  override name = "RedisRefusedError";
}

/** Channels in one SUBSCRIBE after a reconnection. */
const CHUNK = 500;
const CLOSE_MS = 1000;
/** How long a start waits for Redis, and a join for its subscription. */
const START_MS = 1000;
const SUBSCRIBE_MS = 1000;
/** Tells of losses are this far apart: each sends the clients of other nodes away once. */
const GAP_MS = 1000;
const NOTICE_MS = 50;
const MAX_NOTICE_MS = 2000;
/** What a command that waits costs beside its text. */
const COMMAND_SIZE = 256;

/**
 * Resolves as soon as it is known whether Redis is there: with `connected` false where it is not,
 * and then it goes on trying.
 *
 * @throws {RedisRefusedError} when it is there, and trying again would not help.
 */
export async function createRedisBroker(options: RedisBrokerOptions): Promise<Broker> {
  const { node, maxWaiting, onError, pingMs = 2000 } = options;
  const { onLost = logBrokerLost, onBack = logBrokerBack } = options;
  const { host } = new URL(options.url);
  const prefix = `parley:${options.name}:`;
  const nodesChannel = `${prefix}nodes`;
  const channelOf = (room: string) => `${prefix}room:${room}`;
  const troubles = { outages: 0, dropped: 0 };
  const outage = createOutage({
    onLost(reason) {
      troubles.outages++;
      onLost(host, reasonOf(reason));
    },
    onBack: (ms) => onBack(host, ms),
    stableMs: options.stableMs,
  });
  const firstFailure = Promise.withResolvers<unknown>();
  const onFailure = (reason: unknown) => {
    if (started) outage.down(reason);
    firstFailure.resolve(reason);
  };
  const client = { url: options.url, pingMs, onFailure };
  const publisher = createRedisClient(client);
  const subscriber = createRedisClient(client);
  const rooms = new Set<string>();
  let listener: BrokerListener = () => {};
  let nodesListener: (message: unknown) => void = () => {};
  let gapListener = () => {};
  /** SUBSCRIBE reaches Redis; complete: every room is subscribed to. */
  let live = false;
  let complete = false;
  /** Redis answered the last publication with an error. */
  let failing = false;
  let waiting = 0;
  let closed = false;

  const isUp = () => complete && !failing && publisher.answers && subscriber.answers;

  function succeeded(): void {
    failing = false;
    if (isUp()) outage.up();
  }

  /** @returns whether it arrived */
  async function send(channel: string, json: string): Promise<boolean> {
    const text = `${node} ${json}`;
    const size = text.length + COMMAND_SIZE;
    if (closed || !publisher.ready || waiting + size > maxWaiting) {
      troubles.dropped++;
      drop();
      return false;
    }
    waiting += size;
    try {
      await publisher.redis.publish(channel, text);
      succeeded();
      return true;
    } catch (error) {
      failing = publisher.ready;
      if (failing && !closed) onFailure(error);
      troubles.dropped++;
      drop();
      return false;
    } finally {
      waiting -= size;
    }
  }

  let dropped = false;
  let noticeMs = NOTICE_MS;
  let noticeTimer: ReturnType<typeof setTimeout> | undefined;

  /** Something did not reach the others: they are told, not sooner than the backoff allows. */
  function drop(): void {
    dropped = true;
    if (!closed) noticeTimer ??= setTimeout(notice, noticeMs);
  }

  async function notice(): Promise<void> {
    noticeTimer = undefined;
    // Without a connection the next one asks again.
    if (!dropped || closed || !publisher.ready) return;
    if (waiting > maxWaiting / 2) return drop();
    dropped = false;
    const arrived = await send(nodesChannel, "");
    noticeMs = arrived ? GAP_MS : Math.min(noticeMs * 2, MAX_NOTICE_MS);
  }

  let gapAt = -Infinity;
  let gapTimer: ReturnType<typeof setTimeout> | undefined;

  /** Something of the others may be lost. */
  function gap(): void {
    if (closed || gapTimer !== undefined) return;
    const wait = gapAt + GAP_MS - performance.now();
    if (wait > 0) {
      gapTimer = setTimeout(tellGap, wait);
    } else tellGap();
  }

  function tellGap(): void {
    gapTimer = undefined;
    gapAt = performance.now();
    gapListener();
  }

  function receive(channel: string, text: string): void {
    const space = text.indexOf(" ");
    if (closed || text.slice(0, space) === node) return;
    const json = text.slice(space + 1);
    try {
      if (channel !== nodesChannel) {
        const broadcast = JSON.parse(json) as Broadcast;
        if (rooms.has(broadcast.room)) listener(broadcast);
      } else if (json === "") gap();
      else nodesListener(JSON.parse(json));
    } catch (error) {
      onError(error);
    }
  }

  /** Counts connections, so that what an old one answers late changes nothing. */
  let connection = 0;

  /** Subscribes to everything, on a connection that is new. */
  async function resume(): Promise<void> {
    const mine = ++connection;
    const channels = [nodesChannel, ...[...rooms].map(channelOf)];
    // Rooms that come meanwhile are subscribed to on their own.
    live = true;
    try {
      for (let i = 0; i < channels.length; i += CHUNK) {
        await subscriber.redis.subscribe(...channels.slice(i, i + CHUNK));
        if (mine !== connection) return;
      }
    } catch (error) {
      if (mine === connection) again(error);
      return;
    }
    complete = true;
    succeeded();
    if (started) gap();
    first.resolve();
  }

  /** A subscription was refused: everything from the beginning, after the backoff. */
  function again(error: unknown): void {
    if (closed || !live) return;
    live = complete = false;
    onFailure(error);
    subscriber.restart();
  }

  async function subscribe(room: string): Promise<void> {
    const mine = connection;
    let late = !subscriber.answers;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const done = subscriber.redis.subscribe(channelOf(room)).then(
      () => {
        if (late) gap();
      },
      (error) => {
        // Where the connection was lost, the next one subscribes to all rooms.
        if (mine === connection && subscriber.ready) again(error);
      },
    );
    // Whoever joins does not wait for a Redis that does not answer.
    const patience = new Promise<void>((resolve) => {
      timer = setTimeout(() => {
        late = true;
        resolve();
      }, late ? 0 : SUBSCRIBE_MS);
    });
    await Promise.race([done, patience]);
    clearTimeout(timer);
  }

  let started = false;
  const first = Promise.withResolvers<void>();
  subscriber.redis.on("message", receive);
  subscriber.redis.on("close", () => {
    connection++;
    live = complete = false;
  });
  subscriber.redis.on("ready", () => void resume());
  publisher.redis.on("ready", () => {
    failing = false;
    if (isUp()) outage.up();
    if (dropped) drop();
  });

  async function close(): Promise<void> {
    closed = true;
    outage.close();
    clearTimeout(noticeTimer);
    clearTimeout(gapTimer);
    rooms.clear();
    await Promise.all([publisher.close(), subscriber.close()]);
  }

  let startTimer: ReturnType<typeof setTimeout> | undefined;
  const patience = new Promise<unknown>((resolve) => {
    startTimer = setTimeout(() => resolve(new Error("it does not answer")), START_MS);
  });
  const opened = publisher.redis.connect().catch(() => {});
  subscriber.redis.connect().catch(() => {});
  const connected = Promise.all([opened, first.promise]).then(() => null);
  const failure = await Promise.race([connected, firstFailure.promise, patience]);
  clearTimeout(startTimer);
  started = true;
  if (isRefusal(failure)) {
    await close();
    throw new RedisRefusedError(`Cannot use Redis at "${host}": ${reasonOf(failure)}`);
  }
  if (failure !== null) outage.down(failure);

  return {
    alone: false,
    troubles,
    get connected() {
      return isUp();
    },
    publish(broadcast) {
      if (rooms.has(broadcast.room)) listener(broadcast);
      if (publisher.ready) void send(channelOf(broadcast.room), JSON.stringify(broadcast));
      else drop();
    },
    subscribe(room) {
      rooms.add(room);
      return live && !closed ? subscribe(room) : undefined;
    },
    unsubscribe(room) {
      rooms.delete(room);
      if (live && !closed) subscriber.redis.unsubscribe(channelOf(room)).catch(() => {});
    },
    listen(next) {
      listener = next;
    },
    tell: (message) => void send(nodesChannel, JSON.stringify(message)),
    listenToNodes(next) {
      nodesListener = next;
    },
    onGap(next) {
      gapListener = next;
    },
    async close() {
      if (closed) return;
      closed = true;
      // Answered after everything that was published before it.
      if (publisher.ready) {
        let timer: ReturnType<typeof setTimeout> | undefined;
        const late = new Promise<void>((resolve) => timer = setTimeout(resolve, CLOSE_MS));
        await Promise.race([publisher.redis.quit().catch(() => {}), late]);
        clearTimeout(timer);
      }
      await close();
    },
  };
}
