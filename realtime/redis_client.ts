/** One connection to Redis that comes back by itself, and never faster than its backoff allows. */
import { Redis } from "ioredis";

export interface RedisClientOptions {
  /** redis:// or rediss://. */
  url: string;
  /** Milliseconds between two pings; after three times as much silence the connection is lost. */
  pingMs: number;
  /** For every failure, also of each attempt to connect. */
  onFailure: (reason: unknown) => void;
  random?: () => number;
}

export interface RedisClient {
  readonly redis: Redis;
  /** Commands can be sent; whether they are answered is `answers`. */
  readonly ready: boolean;
  /** False while pings are not answered, which is known before the connection is lost. */
  readonly answers: boolean;
  /** Ends the connection, to try it from the beginning after the backoff. */
  restart(): void;
  close(): Promise<void>;
}

const RETRY_MS = [50, 100, 200, 500, 1000];
/** A connection that lasted less does not begin the backoff from its start. */
const LASTED_MS = 1000;
const CONNECT_MS = 3000;
const END_MS = 500;

/** What the server says to a client that it will never serve as it is set up. */
const REFUSALS = /^(WRONGPASS|NOAUTH|NOPERM|ERR invalid password|ERR DB index is out of range)/;

/** Redis is there and does not take this URL; trying again does not help. */
export function isRefusal(error: unknown): boolean {
  return error instanceof Error && REFUSALS.test(error.message);
}

/** It is not connected yet: `redis.connect()` begins. */
export function createRedisClient(options: RedisClientOptions): RedisClient {
  const { url, pingMs, onFailure, random = Math.random } = options;
  let attempts = 0;
  let readyAt: number | null = null;
  let unanswered = 0;
  let closed = false;
  let refusal: unknown = null;

  function retryIn(): number | null {
    if (closed) return null;
    if (readyAt !== null && performance.now() - readyAt > LASTED_MS) attempts = 0;
    readyAt = null;
    const ms = RETRY_MS[Math.min(attempts++, RETRY_MS.length - 1)]!;
    return Math.round(ms * (0.75 + random() / 2));
  }

  const redis = new Redis(url, {
    lazyConnect: true,
    // What was under way when the connection was lost may have arrived: sending it again would be
    // sending it twice. The other nodes are told instead.
    autoResendUnfulfilledCommands: false,
    autoResubscribe: false,
    enableOfflineQueue: false,
    // A command fails as soon as the connection is lost.
    maxRetriesPerRequest: 0,
    connectTimeout: CONNECT_MS,
    disconnectTimeout: END_MS,
    socketTimeout: pingMs * 3,
    maxLoadingRetryTime: 500,
    retryStrategy: retryIn,
  });
  redis.on("error", (error) => {
    refusal = error;
    if (!closed) onFailure(error);
  });
  redis.on("close", () => {
    if (!closed) onFailure(refusal ?? new Error("the connection was closed"));
    refusal = null;
  });
  redis.on("ready", () => {
    readyAt = performance.now();
    unanswered = 0;
  });
  const pings = setInterval(() => {
    if (redis.status !== "ready") return;
    unanswered++;
    // An error is an answer, too.
    redis.ping().then(() => void (unanswered = 0), () => void (unanswered = 0));
  }, pingMs);

  return {
    redis,
    get ready() {
      return redis.status === "ready";
    },
    get answers() {
      return redis.status === "ready" && unanswered < 2;
    },
    restart: () => redis.disconnect(true),
    async close() {
      closed = true;
      clearInterval(pings);
      if (redis.status === "end") return;
      let late: ReturnType<typeof setTimeout> | undefined;
      const ended = new Promise<void>((resolve) => {
        redis.once("end", resolve);
        // One that is between two attempts does not say that it has ended.
        late = setTimeout(resolve, END_MS + 100);
      });
      redis.disconnect();
      await ended;
      clearTimeout(late);
    },
  };
}

/** The first reason in what may be several errors of one attempt. */
export function reasonOf(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return reasonOf(error.errors[0]);
  return error instanceof Error && error.message !== "" ? error.message : String(error);
}
