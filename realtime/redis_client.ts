/** One connection to Redis that reconnects by itself, with a backoff. */
import { Redis } from "ioredis";

export interface RedisClientOptions {
  /** redis:// or rediss://. */
  url: string;
  /** Milliseconds between two pings; after three times as much silence the connection is lost. */
  pingMs: number;
  /** Called for every failure, also of an attempt to connect. */
  onFailure: (reason: unknown) => void;
  random?: () => number;
}

export interface RedisClient {
  readonly redis: Redis;
  /** Commands can be sent; `answers` says whether they are answered. */
  readonly ready: boolean;
  /** False while pings are not answered, which is noticed before the connection is lost. */
  readonly answers: boolean;
  /** Ends the connection, and opens a new one after the backoff. */
  restart(): void;
  close(): Promise<void>;
}

const RETRY_MS = [50, 100, 200, 500, 1000];
/** A connection that lasted less does not reset the backoff. */
const MIN_UPTIME_MS = 1000;
const CONNECT_MS = 3000;
const END_MS = 500;

/** Errors of a server that will never accept this URL. */
const REFUSALS = /^(WRONGPASS|NOAUTH|NOPERM|ERR invalid password|ERR DB index is out of range)/;

/** Redis answers and does not accept this URL; a retry does not help. */
export function isRefusal(error: unknown): boolean {
  return error instanceof Error && REFUSALS.test(error.message);
}

/** The client is not connected yet; call `redis.connect()`. */
export function createRedisClient(options: RedisClientOptions): RedisClient {
  const { url, pingMs, onFailure, random = Math.random } = options;
  let attempts = 0;
  let readyAt: number | null = null;
  let unanswered = 0;
  let closed = false;
  let refusal: unknown = null;

  function retryIn(): number | null {
    if (closed) return null;
    if (readyAt !== null && performance.now() - readyAt > MIN_UPTIME_MS) attempts = 0;
    readyAt = null;
    const ms = RETRY_MS[Math.min(attempts++, RETRY_MS.length - 1)]!;
    return Math.round(ms * (0.75 + random() / 2));
  }

  const redis = new Redis(url, {
    lazyConnect: true,
    // A command under way when the connection was lost may have arrived, and would be sent twice.
    // Instead the other nodes are informed of a gap.
    autoResendUnfulfilledCommands: false,
    autoResubscribe: false,
    enableOfflineQueue: false,
    // Commands fail as soon as the connection is lost.
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
    // An error is an answer.
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
      let timeout: ReturnType<typeof setTimeout> | undefined;
      const ended = new Promise<void>((resolve) => {
        redis.once("end", resolve);
        // ioredis does not emit "end" between two attempts.
        timeout = setTimeout(resolve, END_MS + 100);
      });
      redis.disconnect();
      await ended;
      clearTimeout(timeout);
    },
  };
}

/** The message of an error, or of the first of several errors of one attempt. */
export function reasonOf(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return reasonOf(error.errors[0]);
  return error instanceof Error && error.message !== "" ? error.message : String(error);
}
