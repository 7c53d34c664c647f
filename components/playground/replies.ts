import { errorText } from "../live/api.ts";
import type { ConnectionEnd } from "./adapter.ts";

/** The connection ended before the reply: the outcome is unknown. */
export class ConnectionLost extends Error {
  override name = "ConnectionLost";
  constructor() {
    super("The connection was lost before the answer came.");
  }
}

/** The server refused it, with one of its error codes where the protocol has them. */
export class Refused extends Error {
  override name = "Refused";
  constructor(
    sentence: string,
    readonly code?: string,
    /** Milliseconds. */
    readonly retryAfter?: number,
  ) {
    super(sentence);
  }
}

/** Codes after which the same request may succeed later. */
const PASSING = new Set(["offline", "token_expired", "rate_limited", "overloaded", "draining"]);

/** How a connection ends that failed with this error before it was ready. */
export function endOf(error: unknown): ConnectionEnd {
  const { code, retryAfter } = error as { code?: string; retryAfter?: number };
  // For an expired token it is the grace time: a new token is accepted at once.
  const waitMs = code === "token_expired" ? undefined : retryAfter;
  return {
    why: errorText(error),
    again: code === undefined || code === "internal" || PASSING.has(code),
    ...(waitMs === undefined ? {} : { waitMs }),
  };
}

const TIMEOUT_MS = 10_000;

export type Replies = ReturnType<typeof createReplies>;

/** Commands that wait for their replies, by the id that both have. */
export function createReplies(timeoutMs = TIMEOUT_MS) {
  const waiting = new Map<string, PromiseWithResolvers<unknown>>();

  function take(key: string): PromiseWithResolvers<unknown> | undefined {
    const found = waiting.get(key);
    waiting.delete(key);
    return found;
  }

  return {
    /** Rejects with `Refused` where the server refuses, or does not reply in ten seconds. */
    wait<T>(key: string): Promise<T> {
      const answer = Promise.withResolvers<unknown>();
      waiting.set(key, answer);
      const timer = setTimeout(() => {
        take(key)?.reject(new Refused(`The server did not answer within ${timeoutMs / 1000} s.`));
      }, timeoutMs);
      return answer.promise.finally(() => clearTimeout(timer)) as Promise<T>;
    },
    /** Returns whether a command waited for it. */
    resolve(key: string, value: unknown): boolean {
      const found = take(key);
      found?.resolve(value);
      return found !== undefined;
    },
    reject(key: string, error: Error): boolean {
      const found = take(key);
      found?.reject(error);
      return found !== undefined;
    },
    /** For protocols whose errors name no command: the oldest one is meant. */
    rejectOldest(error: Error): boolean {
      const [oldest] = waiting.keys();
      return oldest !== undefined && this.reject(oldest, error);
    },
    lose() {
      for (const key of [...waiting.keys()]) this.reject(key, new ConnectionLost());
    },
  };
}

/** Codes of frames that the server could not parse, so that it cannot name the command. */
const UNREAD = new Set(["bad_json", "bad_frame", "too_large"]);

/**
 * Rejects the oldest command for an error about a frame that could not be parsed. Returns whether
 * there was one.
 */
export function refusesFrame(error: Refused, replies: Replies): boolean {
  return UNREAD.has(error.code ?? "") && replies.rejectOldest(error);
}
