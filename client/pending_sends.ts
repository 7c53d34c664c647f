import { FAULTS, type ParleyClientError, PASSING, toClientError } from "./errors.ts";

export interface PendingSends<Entry> {
  /** Whether there is a connection that takes them. */
  ready(): boolean;
  /** The first of those that wait; the same object as long as it is the same. */
  next(): Entry | undefined;
  /** Resolves when the server has it and it waits no more; rejects with a ParleyClientError. */
  send(entry: Entry): Promise<void>;
  /** It can never be sent, and must not be the next any more. */
  refused(entry: Entry, error: ParleyClientError): void;
}

/** Tries of one entry that may end in an error of the server's own before it is refused. */
const MAX_TRIES = 5;
/** Errors of whoever sends: with other credentials the same may succeed. */
const WHO = ["unauthenticated", "token_expired", "invalid_token", "invalid_session"];
/** Milliseconds before an entry is tried again; doubles with each fault of the server. */
const RETRY_MS = 1_000;

/**
 * Sends what waits, in order and one at a time, so that a refusal cannot let a later entry overtake
 * and that what was written while away cannot run into the server's limits. What a lost connection
 * swallowed goes again, so the server has to know an entry that it has already.
 */
export function createPendingSends<Entry>(queue: PendingSends<Entry>) {
  let running = false;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let last: Entry | undefined;
  let tries = 0;

  /** To be called whenever there is something new to send, and when there is a connection. */
  async function run() {
    if (running) return;
    running = true;
    clearTimeout(timer);
    for (let entry; queue.ready() && (entry = queue.next()) !== undefined;) {
      if (entry !== last) tries = 0;
      last = entry;
      try {
        await queue.send(entry);
      } catch (reason) {
        const error = toClientError(reason);
        const { code, retryAfter } = error;
        // It goes again on the next connection.
        if (code === "disconnected" || code === "closed") break;
        const passes = PASSING.includes(code) || WHO.includes(code);
        if (!passes || FAULTS.includes(code) && ++tries === MAX_TRIES) {
          queue.refused(entry, error);
          continue;
        }
        timer = setTimeout(run, retryAfter ?? RETRY_MS * 2 ** tries);
        break;
      }
    }
    running = false;
  }

  return { run, stop: () => clearTimeout(timer) };
}
