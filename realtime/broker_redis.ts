/** The broker of nodes on several machines: Redis publish and subscribe, a channel for each room. */
import { Redis, type RedisOptions } from "ioredis";
import type { Broadcast, Broker, BrokerListener } from "./broker.ts";

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
}

/** Channels in one SUBSCRIBE after a reconnection. */
const CHUNK = 500;
const RETRY_MS = [50, 100, 200, 500, 1000];
const CLOSE_MS = 1000;

/** @throws {Error} when Redis does not answer. */
export async function createRedisBroker(options: RedisBrokerOptions): Promise<Broker> {
  const { node, maxWaiting, onError, pingMs = 2000 } = options;
  const prefix = `parley:${options.name}:`;
  const nodesChannel = `${prefix}nodes`;
  const channelOf = (room: string) => `${prefix}room:${room}`;
  const common: RedisOptions = {
    lazyConnect: true,
    // What was under way when the connection was lost may have arrived: sending it again would be
    // sending it twice. The other nodes are told instead.
    autoResendUnfulfilledCommands: false,
    autoResubscribe: false,
    enableOfflineQueue: false,
    // A command fails as soon as the connection is lost.
    maxRetriesPerRequest: 0,
    connectTimeout: 5000,
    socketTimeout: pingMs * 3,
    retryStrategy: (times) => RETRY_MS[Math.min(times, RETRY_MS.length) - 1]!,
  };
  const publisher = new Redis(options.url, common);
  const subscriber = new Redis(options.url, common);
  const rooms = new Set<string>();
  let listener: BrokerListener = () => {};
  let nodesListener: (message: unknown) => void = () => {};
  let gapListener = () => {};
  /** Whether subscriptions are in force. */
  let live = false;
  let waiting = 0;
  let dropped = false;
  let closed = false;

  function send(channel: string, json: string): void {
    const text = `${node} ${json}`;
    if (closed || publisher.status !== "ready" || waiting + text.length > maxWaiting) {
      dropped = true;
      return;
    }
    waiting += text.length;
    publisher.publish(channel, text).catch(() => void (dropped = true)).finally(() => {
      waiting -= text.length;
      if (waiting < maxWaiting / 2) admit();
    });
  }

  /** Tells the others that they missed something, as soon as they can be told. */
  function admit(): void {
    if (!dropped || closed || publisher.status !== "ready") return;
    dropped = false;
    send(nodesChannel, "");
  }

  function receive(channel: string, text: string): void {
    const space = text.indexOf(" ");
    if (text.slice(0, space) === node) return;
    const json = text.slice(space + 1);
    try {
      if (channel !== nodesChannel) {
        const broadcast = JSON.parse(json) as Broadcast;
        if (rooms.has(broadcast.room)) listener(broadcast);
      } else if (json === "") gapListener();
      else nodesListener(JSON.parse(json));
    } catch (error) {
      onError(error);
    }
  }

  async function resume(): Promise<void> {
    const channels = [nodesChannel, ...[...rooms].map(channelOf)];
    // Rooms that come meanwhile are subscribed to on their own.
    live = true;
    for (let i = 0; i < channels.length; i += CHUNK) {
      await subscriber.subscribe(...channels.slice(i, i + CHUNK));
    }
  }

  let started = false;
  let refusal: unknown;

  /** Once for each outage, however often it is tried in vain. */
  function reportOnce(client: Redis): void {
    let reported = false;
    client.on("error", (error) => {
      refusal ??= error;
      if (!reported && started && !closed) onError(error);
      reported = true;
    });
    client.on("ready", () => void (reported = false));
  }

  reportOnce(publisher);
  reportOnce(subscriber);
  try {
    await Promise.all([publisher.connect(), subscriber.connect()]);
    subscriber.on("message", receive);
    await resume();
  } catch (error) {
    publisher.disconnect();
    subscriber.disconnect();
    const { host } = new URL(options.url);
    throw new Error(`Cannot reach Redis at "${host}": ${reasonOf(refusal ?? error)}`);
  }
  started = true;
  publisher.on("ready", admit);
  subscriber.on("close", () => void (live = false));
  subscriber.on("ready", () => {
    resume().then(() => {
      if (live && !closed) gapListener();
    }, () => {
      // Lost again: the next "ready" resumes.
      if (!closed && subscriber.status === "ready") subscriber.disconnect(true);
    });
  });
  const pings = setInterval(() => {
    for (const client of [publisher, subscriber]) {
      if (client.status === "ready") client.ping().catch(() => {});
    }
  }, pingMs);

  return {
    alone: false,
    get connected() {
      return live && publisher.status === "ready" && subscriber.status === "ready";
    },
    publish(broadcast) {
      if (rooms.has(broadcast.room)) listener(broadcast);
      send(channelOf(broadcast.room), JSON.stringify(broadcast));
    },
    subscribe(room) {
      rooms.add(room);
      if (!live || closed) return undefined;
      return subscriber.subscribe(channelOf(room)).then(() => {}, (error) => {
        if (live && !closed) onError(error);
      });
    },
    unsubscribe(room) {
      rooms.delete(room);
      if (live && !closed) subscriber.unsubscribe(channelOf(room)).catch(() => {});
    },
    listen(next) {
      listener = next;
    },
    tell: (message) => send(nodesChannel, JSON.stringify(message)),
    listenToNodes(next) {
      nodesListener = next;
    },
    onGap(next) {
      gapListener = next;
    },
    async close() {
      if (closed) return;
      closed = true;
      clearInterval(pings);
      rooms.clear();
      // Answered after everything that was published before it.
      if (publisher.status === "ready") {
        let timer: ReturnType<typeof setTimeout> | undefined;
        const late = new Promise<void>((resolve) => timer = setTimeout(resolve, CLOSE_MS));
        await Promise.race([publisher.quit().catch(() => {}), late]);
        clearTimeout(timer);
      }
      publisher.disconnect();
      subscriber.disconnect();
    },
  };
}

function reasonOf(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return reasonOf(error.errors[0]);
  return error instanceof Error && error.message !== "" ? error.message : String(error);
}
