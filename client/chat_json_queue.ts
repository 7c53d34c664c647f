import { ParleyClientError } from "./errors.ts";
import { type ErrorHandler, MessageType, type WebSocketMessage } from "./chat_json_types.ts";
import { createPendingSends } from "./pending_sends.ts";

export interface SendQueueOptions {
  maxSize: number;
  /** Milliseconds to wait for a chat's echo. */
  ackTimeoutMs: number;
  transmit: (message: WebSocketMessage) => void;
  /** A chat got no echo in time: the connection counts as lost. */
  onSilence: () => void;
  /** A chat will not be sent any more. */
  onRefused: ErrorHandler;
}

/** The `payload.id` of a chat; null for messages that the server does not echo. */
export function chatId({ type, payload }: WebSocketMessage): string | null {
  const id = type === MessageType.CHAT ? payload?.["id"] : undefined;
  return typeof id === "string" ? id : null;
}

/**
 * The server keeps only the visible ASCII of a `clientId`, and only the first part of a long one.
 */
function isSameClient(own: string, echoed: string | undefined): boolean {
  if (echoed === undefined || echoed === "") return false;
  return own === echoed || own.replace(/[^\x21-\x7d]/g, "_").startsWith(echoed);
}

/**
 * Messages that wait to be sent, see `createPendingSends`. A chat stays at the head until its echo
 * arrives. The server identifies it by `clientId` and `payload.id`, so sending it twice is
 * harmless.
 */
export function createSendQueue(options: SendQueueOptions) {
  const messages: WebSocketMessage[] = [];
  let isUp = false;
  /** The server requires authentication first. */
  let needsAuth = false;
  /** The head is sent and waits for its echo. */
  let echo: PromiseWithResolvers<void> | null = null;

  const { run, stop } = createPendingSends<WebSocketMessage>({
    ready: () => isUp && !needsAuth,
    next: () => messages[0],
    async send(message) {
      if (chatId(message) === null) {
        messages.shift();
        return options.transmit(message);
      }
      const { promise, reject } = echo = Promise.withResolvers<void>();
      const ms = options.ackTimeoutMs;
      const timer = setTimeout(() => {
        reject(new ParleyClientError("timeout", `Cannot send the message: no answer in ${ms} ms`));
        options.onSilence();
      }, ms);
      options.transmit(message);
      await promise.finally(() => {
        echo = null;
        clearTimeout(timer);
      });
    },
    refused(message, error) {
      if (messages[0] === message) messages.shift();
      options.onRefused(error, message);
    },
  });

  return {
    /** How many wait for a connection or for their echo. */
    get size() {
      return messages.length;
    },
    /** @throws {ParleyClientError} `outbox_full` */
    add(message: WebSocketMessage) {
      if (messages.length >= options.maxSize) {
        throw new ParleyClientError(
          "outbox_full",
          `Cannot send the message: ${messages.length} messages wait already`,
          { limit: "maxQueueSize" },
        );
      }
      messages.push(message);
      void run();
    },
    /** The connection is established. */
    start() {
      isUp = true;
      needsAuth = false;
      void run();
    },
    /** The connection is lost; what was under way is sent again on the next one. */
    stop() {
      isUp = false;
      stop();
      echo?.reject(new ParleyClientError("disconnected", "Cannot tell the outcome"));
    },
    authenticated() {
      needsAuth = false;
      void run();
    },
    /** The server has a chat, which may be the one that waits for its echo. */
    echoed({ payload, clientId }: WebSocketMessage) {
      const head = messages[0];
      const id = head === undefined ? null : chatId(head);
      if (head === undefined || id === null || id !== payload?.["id"]) return;
      if (!isSameClient(head.clientId ?? "", clientId)) return;
      messages.shift();
      echo?.resolve();
      void run();
    },
    /** The server refused the chat with this id. Returns false for an id that is not known here. */
    refused(id: unknown, error: ParleyClientError): boolean {
      if (echo === null || messages[0]?.payload?.["id"] !== id) return false;
      if (error.code === "unauthenticated") needsAuth = true;
      echo.reject(error);
      return true;
    },
  };
}

export type SendQueue = ReturnType<typeof createSendQueue>;
