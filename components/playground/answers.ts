import { errorText } from "../live/api.ts";
import type { End } from "./dialect.ts";

/** The connection went away before the answer: whether it was carried out is not known. */
export class ConnectionLost extends Error {
  override name = "ConnectionLost";
  constructor() {
    super("The connection was lost before the answer came.");
  }
}

/** The server said no, with one of its error codes where its protocol has them. */
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

/** Codes after which the same may succeed by itself. */
const PASSING = new Set(["offline", "token_expired", "rate_limited", "overloaded", "draining"]);

/** How a connection ends that could not begin because of this error. */
export function endOf(error: unknown): End {
  const { code, retryAfter } = error as { code?: string; retryAfter?: number };
  // With a token that has expired it is the grace: a new one is welcome at once.
  const waitMs = code === "token_expired" ? undefined : retryAfter;
  return {
    why: errorText(error),
    again: code === undefined || code === "internal" || PASSING.has(code),
    ...(waitMs === undefined ? {} : { waitMs }),
  };
}

const TIMEOUT_MS = 10_000;

export type Answers = ReturnType<typeof createAnswers>;

/** Commands that wait for their answers, by the id that both carry. */
export function createAnswers(timeoutMs = TIMEOUT_MS) {
  const waiting = new Map<string, PromiseWithResolvers<unknown>>();

  function take(key: string): PromiseWithResolvers<unknown> | undefined {
    const found = waiting.get(key);
    waiting.delete(key);
    return found;
  }

  return {
    /** Rejects with `Refused` where the server says no, or nothing for ten seconds. */
    wait<T>(key: string): Promise<T> {
      const answer = Promise.withResolvers<unknown>();
      waiting.set(key, answer);
      const timer = setTimeout(() => {
        take(key)?.reject(new Refused(`The server gave no answer within ${timeoutMs / 1000} s.`));
      }, timeoutMs);
      return answer.promise.finally(() => clearTimeout(timer)) as Promise<T>;
    },
    /** Whether somebody waited for it. */
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
    /** For protocols whose errors do not say what they answer: the oldest one is meant. */
    rejectOldest(error: Error): boolean {
      const [oldest] = waiting.keys();
      return oldest !== undefined && this.reject(oldest, error);
    },
    lose() {
      for (const key of [...waiting.keys()]) this.reject(key, new ConnectionLost());
    },
  };
}

/** Codes of frames that the server could not read, so that it cannot say which command was meant. */
const UNREAD = new Set(["bad_json", "bad_frame", "too_large"]);

/** Whether the error is for a frame that could not be read; its command, the oldest, is refused. */
export function refusesFrame(error: Refused, answers: Answers): boolean {
  return UNREAD.has(error.code ?? "") && answers.rejectOldest(error);
}
