import { FAULTS, type ParleyClientError, PASSING, toClientError } from "./errors.ts";

export interface PendingSends<Entry> {
  /** Whether there is a connection that can send. */
  ready(): boolean;
  /** The first waiting entry; the same object as long as the entry is the same. */
  next(): Entry | undefined;
  /** Resolves when the server has it and it is removed; rejects with a ParleyClientError. */
  send(entry: Entry): Promise<void>;
  /** It can never be sent, and `next` must not return it any more. */
  refused(entry: Entry, error: ParleyClientError): void;
}

/** Tries of one entry that may end in a fault of the server before it is refused. */
const MAX_TRIES = 5;
/** Errors about the sender: with other credentials the same entry may succeed. */
const WHO = ["unauthenticated", "token_expired", "invalid_token", "invalid_session"];
/** Milliseconds before an entry is tried again; doubles with each fault of the server. */
const RETRY_MS = 1_000;

/**
 * Sends entries in order and one at a time: a refused entry cannot be overtaken by a later one, and
 * the entries of an absence do not exceed the server's limits. An entry whose connection was lost
 * is sent again, so the server has to recognize an entry that it already has.
 */
export function createPendingSends<Entry>(queue: PendingSends<Entry>) {
  let running = false;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let last: Entry | undefined;
  let tries = 0;

  /** Call it when there is something new to send, and when there is a connection. */
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
        // It is sent again on the next connection.
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
