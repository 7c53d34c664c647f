import { ParleyClientError } from "./errors.ts";
import { type ErrorHandler, MessageType, type WebSocketMessage } from "./chat_json_types.ts";

/** Tries of one chat that may come to nothing before it is given up. */
const MAX_TRIES = 5;
/** Milliseconds before a chat is tried again where the server names no time. */
const RETRY_MS = 2_000;
/** Refusals that say nothing about the chat; the first group counts towards MAX_TRIES. */
const COUNTED = ["internal", "overloaded"];
const PASSING = ["rate_limited", "draining", "unavailable"];

export interface SendQueueOptions {
  maxSize: number;
  /** Milliseconds to wait for a chat's echo. */
  ackTimeoutMs: number;
  transmit: (message: WebSocketMessage) => void;
  /** A chat got no echo in time: the connection is not one. */
  onSilence: () => void;
  /** A chat is given up. */
  onRefused: ErrorHandler;
}

interface Entry {
  message: WebSocketMessage;
  /** Of a chat: what its echo or `ack` has as `payload.id`. Null where there is nothing to wait for. */
  id: string | null;
  tries: number;
}

/** The `payload.id` of a chat, null for everything that the server does not echo. */
export function chatId({ type, payload }: WebSocketMessage): string | null {
  const id = type === MessageType.CHAT ? payload?.["id"] : undefined;
  return typeof id === "string" ? id : null;
}

/** The server keeps the visible ASCII of a `clientId`, and of a long one its first characters. */
function isSameClient(own: string, echoed: string | undefined): boolean {
  if (echoed === undefined || echoed === "") return false;
  return own === echoed || own.replace(/[^\x21-\x7d]/g, "_").startsWith(echoed);
}

/**
 * What waits to be sent, in order. A chat stays at the head until its echo came back, and the next
 * message goes only then: a refusal cannot let a later one overtake, a flood of what was written
 * while away cannot run into the server's limits, and what a lost connection swallowed goes again.
 * The server knows a chat by its `clientId` and `payload.id`, so sending twice is harmless.
 */
export function createSendQueue(options: SendQueueOptions) {
  const entries: Entry[] = [];
  let open = false;
  /** The head is sent and waits for its echo. */
  let underWay = false;
  /** The server wants to know first who this is. */
  let needsAuth = false;
  let timer: ReturnType<typeof setTimeout> | undefined;

  function wait(ms: number, then: () => void) {
    clearTimeout(timer);
    timer = setTimeout(() => {
      timer = undefined;
      then();
    }, ms);
  }
  function run() {
    while (open && !underWay && !needsAuth && timer === undefined) {
      const head = entries[0];
      if (head === undefined) return;
      if (head.id === null) {
        entries.shift();
      } else {
        underWay = true;
        wait(options.ackTimeoutMs, () => silent(head));
      }
      options.transmit(head.message);
    }
  }
  function settleHead() {
    underWay = false;
    clearTimeout(timer);
    timer = undefined;
  }
  function giveUp(entry: Entry, error: ParleyClientError) {
    entries.splice(entries.indexOf(entry), 1);
    options.onRefused(error, entry.message);
  }
  function silent(head: Entry) {
    if (++head.tries >= MAX_TRIES) {
      const sentence = `Cannot send the message: no answer to ${MAX_TRIES} tries`;
      giveUp(head, new ParleyClientError("timeout", sentence));
    }
    options.onSilence();
  }

  return {
    /** How many wait, for a connection or for their echo. */
    get size() {
      return entries.length;
    },
    /** @throws {ParleyClientError} `outbox_full` */
    add(message: WebSocketMessage) {
      if (entries.length >= options.maxSize) {
        throw new ParleyClientError(
          "outbox_full",
          `Cannot send the message: ${entries.length} messages wait already`,
          { limit: "maxQueueSize" },
        );
      }
      entries.push({ message, id: chatId(message), tries: 0 });
      run();
    },
    /** There is a connection. */
    start() {
      open = true;
      needsAuth = false;
      run();
    },
    /** There is none any more; what is under way goes again on the next one. */
    stop() {
      open = false;
      settleHead();
    },
    authenticated() {
      needsAuth = false;
      run();
    },
    /** The server has a chat: perhaps the one that waits for its echo. */
    echoed({ payload, clientId }: WebSocketMessage) {
      const head = entries[0];
      if (head === undefined || head.id === null || head.id !== payload?.["id"]) return;
      if (!isSameClient(head.message.clientId ?? "", clientId)) return;
      entries.shift();
      settleHead();
      run();
    },
    /** The server refused the chat with this id. Returns false for one that is not known here. */
    refused(id: unknown, error: ParleyClientError): boolean {
      const head = entries[0];
      if (!underWay || head === undefined || head.id !== id) return false;
      settleHead();
      const again = PASSING.includes(error.code) ||
        COUNTED.includes(error.code) && ++head.tries < MAX_TRIES;
      if (error.code === "unauthenticated") needsAuth = true;
      else if (again) wait(error.retryAfter ?? RETRY_MS, run);
      else giveUp(head, error);
      run();
      return true;
    },
  };
}

export type SendQueue = ReturnType<typeof createSendQueue>;
