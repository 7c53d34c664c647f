/**
 * The broker of nodes on several machines: Redis publish and subscribe, a channel for each room.
 *
 * Redis may be away, frozen, slow, or answer only errors, for any time. A failed command is not
 * retried. A message that could not be published is dropped, and the other nodes are informed of a
 * gap by one notice, which is sent with a backoff until one arrives (`broker_redis_gaps.ts`).
 */
import type { Broadcast, Broker, BrokerListener } from "./broker.ts";
import { createGapNotices, createGapReporter } from "./broker_redis_gaps.ts";
import { createRedisSubscriptions } from "./broker_redis_subscriptions.ts";
import { logBrokerBack, logBrokerLost } from "./log.ts";
import { createOutage } from "./outage.ts";
import { createRedisClient, isRefusal, reasonOf } from "./redis_client.ts";

export interface RedisBrokerOptions {
  /** redis:// or rediss://. */
  url: string;
  /**
   * Installations with different names do not receive each other's messages, also on one server.
   */
  name: string;
  /** This node's name, different from every other's. */
  node: string;
  /** The size of what may wait for Redis, in UTF-16 units; past it messages are dropped. */
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

/** Redis answers, but does not accept this URL (password, rights, number of the database). */
export class RedisRefusedError extends Error {
  override name = "RedisRefusedError";
}

const CLOSE_MS = 1000;
/** How long a start waits for Redis. */
const START_MS = 1000;
/** The size of a waiting command besides its text. */
const COMMAND_SIZE = 256;

/**
 * Resolves as soon as it is known whether Redis can be reached. Where it cannot, `connected` is
 * false, and the broker continues to try.
 *
 * @throws {RedisRefusedError} when Redis answers, and a retry would not help.
 */
export async function createRedisBroker(options: RedisBrokerOptions): Promise<Broker> {
  const { node, maxWaiting, onError, pingMs = 2000 } = options;
  const { onLost = logBrokerLost, onBack = logBrokerBack } = options;
  const { host } = new URL(options.url);
  const prefix = `parley:${options.name}:`;
  const nodesChannel = `${prefix}nodes`;
  const channelOf = (room: string) => `${prefix}room:${room}`;
  const stats = { outages: 0, dropped: 0 };
  const outage = createOutage({
    onLost(reason) {
      stats.outages++;
      onLost(host, reasonOf(reason));
    },
    onBack: (ms) => onBack(host, ms),
    stableMs: options.stableMs,
  });
  const firstFailure = Promise.withResolvers<unknown>();
  const firstSubscription = Promise.withResolvers<void>();
  let isStarted = false;
  const onFailure = (reason: unknown) => {
    if (isStarted) outage.down(reason);
    firstFailure.resolve(reason);
  };
  const clientOptions = { url: options.url, pingMs, onFailure };
  const publisher = createRedisClient(clientOptions);
  const subscriber = createRedisClient(clientOptions);
  const rooms = new Set<string>();
  let listener: BrokerListener = () => {};
  let nodesListener: (message: unknown) => void = () => {};
  let gapListener = () => {};
  /** Redis answered the last publication with an error. */
  let isFailing = false;
  let waiting = 0;
  let closed = false;

  const gaps = createGapReporter(() => gapListener());
  const notices = createGapNotices({
    send: () => send(nodesChannel, ""),
    isConnected: () => publisher.ready,
    isCongested: () => waiting > maxWaiting / 2,
  });
  const subscriptions = createRedisSubscriptions({
    client: subscriber,
    channels: () => [nodesChannel, ...[...rooms].map(channelOf)],
    onComplete() {
      succeeded();
      if (isStarted) gaps.report();
      firstSubscription.resolve();
    },
    onLate: gaps.report,
    onFailure,
  });

  const isUp = () =>
    subscriptions.isComplete && !isFailing && publisher.answers && subscriber.answers;

  function succeeded(): void {
    isFailing = false;
    if (isUp()) outage.up();
  }

  function drop(): false {
    stats.dropped++;
    notices.messageDropped();
    return false;
  }

  /** @returns whether it was published */
  async function send(channel: string, json: string): Promise<boolean> {
    const text = `${node} ${json}`;
    const size = text.length + COMMAND_SIZE;
    if (closed || !publisher.ready || waiting + size > maxWaiting) return drop();
    waiting += size;
    try {
      await publisher.redis.publish(channel, text);
      succeeded();
      return true;
    } catch (error) {
      isFailing = publisher.ready;
      if (isFailing && !closed) onFailure(error);
      return drop();
    } finally {
      waiting -= size;
    }
  }

  function receive(channel: string, text: string): void {
    const space = text.indexOf(" ");
    if (closed || text.slice(0, space) === node) return;
    const json = text.slice(space + 1);
    try {
      if (channel !== nodesChannel) {
        const broadcast = JSON.parse(json) as Broadcast;
        if (rooms.has(broadcast.room)) listener(broadcast);
      } else if (json === "") gaps.report();
      else nodesListener(JSON.parse(json));
    } catch (error) {
      onError(error);
    }
  }

  subscriber.redis.on("message", receive);
  publisher.redis.on("ready", () => {
    succeeded();
    notices.connected();
  });

  function stop(): void {
    closed = true;
    notices.close();
    gaps.close();
    subscriptions.close();
  }

  async function close(): Promise<void> {
    stop();
    outage.close();
    rooms.clear();
    await Promise.all([publisher.close(), subscriber.close()]);
  }

  let startTimer: ReturnType<typeof setTimeout> | undefined;
  const timeout = new Promise<unknown>((resolve) => {
    startTimer = setTimeout(() => resolve(new Error("it does not answer")), START_MS);
  });
  const opened = publisher.redis.connect().catch(() => {});
  subscriber.redis.connect().catch(() => {});
  const connected = Promise.all([opened, firstSubscription.promise]).then(() => null);
  const failure = await Promise.race([connected, firstFailure.promise, timeout]);
  clearTimeout(startTimer);
  isStarted = true;
  if (isRefusal(failure)) {
    await close();
    throw new RedisRefusedError(`Cannot use Redis at "${host}": ${reasonOf(failure)}`);
  }
  if (failure !== null) outage.down(failure);

  return {
    isSingleNode: false,
    stats,
    get connected() {
      return isUp();
    },
    publish(broadcast) {
      if (rooms.has(broadcast.room)) listener(broadcast);
      if (publisher.ready) void send(channelOf(broadcast.room), JSON.stringify(broadcast));
      else notices.messageDropped();
    },
    subscribe(room) {
      rooms.add(room);
      return subscriptions.add(channelOf(room));
    },
    unsubscribe(room) {
      rooms.delete(room);
      subscriptions.remove(channelOf(room));
    },
    onBroadcast(next) {
      listener = next;
    },
    publishToNodes: (message) => void send(nodesChannel, JSON.stringify(message)),
    onNodeMessage(next) {
      nodesListener = next;
    },
    onGap(next) {
      gapListener = next;
    },
    async close() {
      if (closed) return;
      stop();
      // Redis answers QUIT after everything that was published before it.
      if (publisher.ready) {
        let timer: ReturnType<typeof setTimeout> | undefined;
        const timeout = new Promise<void>((resolve) => timer = setTimeout(resolve, CLOSE_MS));
        await Promise.race([publisher.redis.quit().catch(() => {}), timeout]);
        clearTimeout(timer);
      }
      await close();
    },
  };
}
