/** The Redis subscriptions of a node: to a channel for all nodes, and one for each of its rooms. */
import type { RedisClient } from "./redis_client.ts";

export interface RedisSubscriptions {
  /** Every channel is subscribed to. */
  readonly isComplete: boolean;
  /**
   * Resolves when the channel delivers, or after a while; undefined: the next connection does it.
   */
  add(channel: string): Promise<void> | undefined;
  remove(channel: string): void;
  close(): void;
}

export interface RedisSubscriptionsOptions {
  client: RedisClient;
  /** All channels, for a new connection. */
  channels: () => string[];
  /** Every channel is subscribed to on a new connection. */
  onComplete: () => void;
  /** A channel delivers later than its subscriber was told. */
  onLate: () => void;
  onFailure: (reason: unknown) => void;
}

/** Channels in one SUBSCRIBE after a reconnect. */
const CHUNK = 500;
/** How long a join waits for its subscription. */
const SUBSCRIBE_MS = 1000;

export function createRedisSubscriptions(options: RedisSubscriptionsOptions): RedisSubscriptions {
  const { client, onFailure } = options;
  /** SUBSCRIBE can be sent. */
  let isOpen = false;
  let isComplete = false;
  let isClosed = false;
  /** Counts connections, so that a late answer of an old one is ignored. */
  let connection = 0;

  /** Subscribes to everything on a new connection. */
  async function subscribeAll(): Promise<void> {
    const mine = ++connection;
    const channels = options.channels();
    // Channels that are added from here on are subscribed to by `add`.
    isOpen = true;
    try {
      for (let i = 0; i < channels.length; i += CHUNK) {
        await client.redis.subscribe(...channels.slice(i, i + CHUNK));
        if (mine !== connection) return;
      }
    } catch (error) {
      if (mine === connection) restart(error);
      return;
    }
    isComplete = true;
    options.onComplete();
  }

  /** A subscription was refused: starts again on a new connection, after the backoff. */
  function restart(error: unknown): void {
    if (isClosed || !isOpen) return;
    isOpen = isComplete = false;
    onFailure(error);
    client.restart();
  }

  async function subscribe(channel: string): Promise<void> {
    const mine = connection;
    let isLate = !client.answers;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const done = client.redis.subscribe(channel).then(
      () => {
        if (isLate) options.onLate();
      },
      (error) => {
        // If the connection was lost, the next one subscribes to all channels.
        if (mine === connection && client.ready) restart(error);
      },
    );
    // A join does not wait for a Redis that does not answer.
    const timeout = new Promise<void>((resolve) => {
      timer = setTimeout(() => {
        isLate = true;
        resolve();
      }, isLate ? 0 : SUBSCRIBE_MS);
    });
    await Promise.race([done, timeout]);
    clearTimeout(timer);
  }

  client.redis.on("close", () => {
    connection++;
    isOpen = isComplete = false;
  });
  client.redis.on("ready", () => void subscribeAll());

  return {
    get isComplete() {
      return isComplete;
    },
    add: (channel) => isOpen && !isClosed ? subscribe(channel) : undefined,
    remove(channel) {
      if (isOpen && !isClosed) client.redis.unsubscribe(channel).catch(() => {});
    },
    close() {
      isClosed = true;
    },
  };
}
