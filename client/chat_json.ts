/**
 * A client of chat JSON (`/ws`, docs/protocols/chat-json.md), for programs that were written
 * against its `WebSocketService` and `RealtimeService`. For a new program `ParleyClient` offers
 * more.
 *
 * ```ts
 * const service = new WebSocketService({ url: "wss://chat.example.com/ws", sessionId });
 * service.addMessageHandler((message) => {
 *   if (message.type === "chat") console.log(message.payload?.content);
 * });
 * await service.connect();
 * await service.send({ type: "chat", payload: { content: "Hello!" } });
 * ```
 */
import {
  chatJsonUrl,
  createChatJsonConnection,
  errorOf,
  reconnectDelay,
} from "./chat_json_connection.ts";
import { createSendQueue, type SendQueue } from "./chat_json_queue.ts";
import {
  CHAT_JSON_DEFAULTS,
  ConnectionState,
  type DisconnectHandler,
  type ErrorHandler,
  type MessageHandler,
  MessageType,
  type WebSocketConfig,
  type WebSocketMessage,
  type WebSocketSettings,
} from "./chat_json_types.ts";
import { protect } from "./emitter.ts";
import { ParleyClientError } from "./errors.ts";
import { newId } from "./outbox.ts";

export * from "./chat_json_realtime.ts";
export { chatJsonUrl, ConnectionState, MessageType, ParleyClientError, reconnectDelay };
export type {
  DisconnectHandler,
  ErrorHandler,
  MessageHandler,
  Secret,
  WebSocketConfig,
  WebSocketMessage,
} from "./chat_json_types.ts";

const MINUTE = 60_000;
/** What the server accepts as `payload.id`, and the longest `clientId`. */
const MESSAGE_ID = /^[\x21-\x7d]{1,40}$/;
const MAX_CLIENT_ID = 100;

/**
 * One connection to `/ws` that keeps itself alive: it reconnects with backoff, authenticates again,
 * and sends the messages that were written in the meantime, in order. A chat counts as sent when
 * the server has echoed it. Until then it is sent again on each connection; `payload.id` makes that
 * harmless.
 */
export class WebSocketService {
  readonly clientId: string;
  #settings: WebSocketSettings;
  #connection: ReturnType<typeof createChatJsonConnection>;
  #queue: SendQueue;
  #messages = new Set<MessageHandler>();
  #connects = new Set<() => unknown>();
  #disconnects = new Set<DisconnectHandler>();
  #errors = new Set<ErrorHandler>();
  #states = new Set<(state: ConnectionState) => unknown>();
  /** Calls of `send` since `#minuteBegan`, including those that were rejected. */
  #sentThisMinute = 0;
  #minuteBegan = 0;

  constructor(config: WebSocketConfig) {
    const given = Object.entries(config).filter(([, value]) => value !== undefined);
    const settings = this.#settings = {
      ...CHAT_JSON_DEFAULTS,
      ...Object.fromEntries(given),
    } as WebSocketSettings;
    this.clientId = settings.clientId ?? `client_${newId().slice(0, 12)}`;
    const connection = this.#connection = createChatJsonConnection(settings, {
      state: (state) => call(this.#states, (handler) => handler(state)),
      message: (message) => this.#receive(message),
      up: () => {
        this.#queue.start();
        call(this.#connects, (handler) => handler());
      },
      down: (event) => {
        this.#queue.stop();
        call(this.#disconnects, (handler) => handler(event));
      },
      error: (error) => this.#fail(error),
    });
    this.#queue = createSendQueue({
      maxSize: settings.maxQueueSize,
      ackTimeoutMs: settings.ackTimeout,
      transmit: (message) => connection.transmit(message),
      onSilence: () => connection.giveUp("A chat was not answered"),
      onRefused: (error, message) => {
        connection.debug("given up:", error.code, error.message);
        this.#fail(error, message);
      },
    });
  }

  get state(): ConnectionState {
    return this.#connection.state;
  }
  /** How many messages wait for a connection or for their echo. */
  get waiting(): number {
    return this.#queue.size;
  }
  isConnected(): boolean {
    return this.state === ConnectionState.CONNECTED;
  }
  /** Whether the connection authenticates with this session. */
  ownsSession(sessionId: string): boolean {
    return this.#connection.session === sessionId;
  }

  /**
   * Resolves when connected and, with credentials, authenticated. Calls at the same time share one
   * attempt; while connected it does nothing. Rejects with a ParleyClientError when this attempt
   * fails; with `autoReconnect` further attempts follow anyway.
   */
  connect(): Promise<void> {
    return this.#connection.connect();
  }

  /** Ends the connection. Waiting messages stay, and are sent after the next `connect`. */
  disconnect(): void {
    this.#connection.disconnect();
  }

  /**
   * Sends a message. Adds this client's `clientId` and the time, and to a chat a `payload.id`,
   * where they are missing. Without a connection the message waits in the queue, and a connection
   * is started where none is. Resolves when the message is sent or queued; the echo or `onError`
   * says whether the server accepted a chat.
   *
   * Rejects with `rate_limited` ("Rate limit exceeded") for more than 60 times `rateLimitPerSecond`
   * messages within a minute (counted as in the protocol's document, including rejected ones),
   * `outbox_full` past `maxQueueSize`, `too_large` past `maxMessageBytes`, and `invalid` for a
   * `payload.id` or `clientId` that the server would refuse.
   */
  // deno-lint-ignore require-await -- what it throws has to be a rejection
  async send(message: WebSocketMessage): Promise<void> {
    this.#checkRate();
    const enriched = this.#enrich(message);
    this.#checkSize(enriched);
    if (enriched.type === MessageType.AUTH) {
      this.#connection.remember(enriched.payload ?? {});
      if (this.isConnected()) this.#connection.transmit(enriched);
    } else {
      this.#queue.add(enriched);
    }
    const { state } = this;
    if (state === ConnectionState.DISCONNECTED || state === ConnectionState.FAILED) {
      this.connect().catch(() => {});
    }
  }

  addMessageHandler(handler: MessageHandler): void {
    this.#messages.add(handler);
  }
  removeMessageHandler(handler: MessageHandler): void {
    this.#messages.delete(handler);
  }
  /** The same as `addMessageHandler`; returns a function that removes the handler. */
  onMessage(handler: MessageHandler): () => void {
    return register(this.#messages, handler);
  }
  /** After every connection, including the first. Returns a function that removes the handler. */
  onConnect(handler: () => unknown): () => void {
    return register(this.#connects, handler);
  }
  /** After an established connection is lost. Returns a function that removes the handler. */
  onDisconnect(handler: DisconnectHandler): () => void {
    return register(this.#disconnects, handler);
  }
  /** Failed attempts, errors of the server, and messages that will not be sent. */
  onError(handler: ErrorHandler): () => void {
    return register(this.#errors, handler);
  }
  onStateChange(handler: (state: ConnectionState) => unknown): () => void {
    return register(this.#states, handler);
  }

  #now(): number {
    return (this.#settings.now ?? Date.now)();
  }

  #enrich(message: WebSocketMessage): WebSocketMessage {
    const { type, payload, clientId = this.clientId } = message;
    const isChat = type === MessageType.CHAT && typeof payload === "object" && payload !== null;
    const id = isChat ? payload["id"] ?? newId() : undefined;
    if (isChat && !(typeof id === "string" && MESSAGE_ID.test(id))) {
      throw invalid("payload.id", "1 to 40 visible ASCII characters", id);
    }
    if (clientId.length === 0 || clientId.length > MAX_CLIENT_ID) {
      throw invalid("clientId", `1 to ${MAX_CLIENT_ID} characters`, clientId);
    }
    return {
      ...message,
      ...(isChat ? { payload: { ...payload, id } } : {}),
      clientId,
      timestamp: message.timestamp ?? new Date(this.#now()).toISOString(),
    };
  }

  #checkSize(message: WebSocketMessage) {
    const limit = this.#settings.maxMessageBytes;
    const bytes = new TextEncoder().encode(JSON.stringify(message)).length;
    if (bytes <= limit) return;
    throw new ParleyClientError(
      "too_large",
      `Cannot send the message: ${bytes} bytes are more than ${limit}`,
      { limit: "maxMessageBytes" },
    );
  }

  #checkRate() {
    const now = this.#now();
    const age = now - this.#minuteBegan;
    // After the clock was set back, nobody has to wait.
    if (age < 0 || age >= MINUTE) {
      this.#minuteBegan = now;
      this.#sentThisMinute = 0;
    }
    if (++this.#sentThisMinute <= this.#settings.rateLimitPerSecond * 60) return;
    throw new ParleyClientError("rate_limited", "Rate limit exceeded", {
      limit: "rateLimitPerSecond",
      retryAfter: this.#minuteBegan + MINUTE - now,
    });
  }

  #receive(message: WebSocketMessage) {
    const { type, payload } = message;
    if (type === MessageType.CHAT || type === MessageType.ACK) {
      this.#queue.echoed(message);
    } else if (type === MessageType.AUTH_RESPONSE) {
      if (payload?.["success"] === true) this.#queue.authenticated();
      else this.#fail(errorOf(payload));
    } else if (type === MessageType.ERROR) {
      const error = errorOf(payload);
      if (!this.#queue.refused(payload?.["id"], error)) this.#fail(error);
    }
    call(this.#messages, (handler) => handler(message));
  }

  #fail(error: ParleyClientError, message?: WebSocketMessage) {
    call(this.#errors, (handler) => handler(error, message));
  }
}

function invalid(field: string, rule: string, value: unknown): ParleyClientError {
  const sentence = `Cannot send the message: "${field}" must be ${rule}: "${value}"`;
  return new ParleyClientError("invalid", sentence);
}

function register<T>(handlers: Set<T>, handler: T): () => void {
  handlers.add(handler);
  return () => void handlers.delete(handler);
}

function call<T>(handlers: Set<T>, work: (handler: T) => unknown) {
  for (const handler of [...handlers]) protect(() => work(handler));
}
