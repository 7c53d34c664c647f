import type { Message } from "../protocol/model.ts";
import type { Acks, CommandData, CommandType, ServerMessage, Welcome } from "../protocol/native.ts";
import { type Connection, createConnection } from "./connection.ts";
import { createEmitter } from "./emitter.ts";
import { ParleyClientError } from "./errors.ts";
import { createOutbox, type Outbox } from "./outbox.ts";
import { MIN_UPTIME_MS } from "./reconnecting.ts";
import { createRequests, type RequestOptions } from "./requests.ts";
import type {
  AllEvents,
  ClientOptions,
  ConnectionState,
  OutgoingMessage,
  PendingMessage,
  Settings,
} from "./types.ts";

const DEFAULTS = {
  storageKey: "parley",
  maxOutbox: 200,
  connectTimeoutMs: 10_000,
  minDelayMs: 1_000,
  maxDelayMs: 30_000,
  maxAttempts: Infinity,
  minUptimeMs: MIN_UPTIME_MS,
  ackTimeoutMs: 10_000,
};

/**
 * One connection to a Parley server that keeps itself alive: it reconnects with backoff, sends
 * every message exactly once, and returns the answer to every command. `ParleyClient` adds
 * conversation stores; `createFollower` reads the log of a conversation without one.
 */
export class ParleyCore {
  #options: Settings;
  #identity: Acks["auth"] | null = null;
  #emitter = createEmitter<AllEvents>();
  #connection: Connection;
  #requests: ReturnType<typeof createRequests>;
  #outbox: Outbox;

  constructor(options: ClientOptions) {
    const given = Object.entries(options).filter(([, value]) => value !== undefined);
    const settings = this.#options = { ...DEFAULTS, ...Object.fromEntries(given) } as Settings;
    const ready = () => this.state === "connected";
    const connection = this.#connection = createConnection(settings, {
      state: (state) => {
        this.#emitter.emit("state", state);
        if (!ready()) return;
        this.#requests.flush();
        this.#outbox.run();
      },
      authenticated: (identity) => {
        this.#refreshBefore(identity.expiresAt, identity.role);
        this.#identify(identity);
      },
      message: (message) => this.#receive(message),
      error: (error) => this.#emitter.emit("error", error),
      lost: (outcome, error) => {
        this.#outbox.stop();
        this.#requests.lost(outcome === "waiting" ? undefined : error);
        return () => outcome === "failed" && this.#emitter.emit("error", error);
      },
    });
    this.#requests = createRequests({
      timeoutMs: settings.ackTimeoutMs,
      ready,
      waitMs: connection.waitMs,
      transmit: connection.transmit,
    });
    this.#outbox = createOutbox({
      storage: settings.storage,
      storageKey: settings.storageKey,
      maxEntries: settings.maxOutbox,
      transmit: (entry) => this.#sendMessage(entry),
      ready,
      owner: () => this.#identity?.role === "agent" ? this.#identity.userId : undefined,
      sent: (message) => this.#emitter.emit("sent", message),
      changed: () => this.#emitter.emit("outbox", undefined),
    });
  }

  get state(): ConnectionState {
    return this.#connection.state;
  }
  /**
   * The identity that the server confirmed; null before the first `auth`, kept across
   * reconnections.
   */
  get identity(): Acks["auth"] | null {
    return this.#identity;
  }
  /** Why the state is `failed`, or the error of the last attempt; null while connected. */
  get error(): ParleyClientError | null {
    return this.#connection.error;
  }
  /** The limits and times that the server announced; null before the first connection. */
  get welcome(): Welcome | null {
    return this.#connection.welcome();
  }

  /**
   * Connects and stays connected. Resolves when authenticated; rejects with a ParleyClientError
   * when the client gives up (a close code that forbids reconnecting, `maxAttempts`, a final
   * credentials error) or is closed. Never rejects because the network is down.
   */
  connect(): Promise<void> {
    return this.#connection.connect();
  }

  /** Ends the connection and rejects everything that waits; stored messages stay in the outbox. */
  close(): void {
    this.#connection.end("closed");
  }

  /** Connects at once instead of waiting; an established connection is checked. */
  reconnectNow(): void {
    this.#connection.reconnectNow();
  }

  /**
   * Listens to an event of the server or to one of `ClientEvents`. Returns a function that removes
   * the handler. A handler that throws is reported on the console.
   */
  on<T extends keyof AllEvents>(type: T, handler: (data: AllEvents[T]) => unknown): () => void {
    return this.#emitter.on(type, handler);
  }

  /**
   * Sends a command and waits for its `ack`. Without a connection it first waits for one. Rejects
   * with a ParleyClientError: a server code, `timeout`, `disconnected` or `closed`.
   */
  request<T extends CommandType>(
    type: T,
    data: CommandData<T>,
    options?: RequestOptions,
  ): Promise<Acks[T]> {
    if (this.state === "failed" || this.state === "closed") {
      return Promise.reject(
        new ParleyClientError("closed", `Cannot send "${type}": the client is ${this.state}`),
      );
    }
    return this.#requests.make(type, data, options) as Promise<Acks[T]>;
  }

  /**
   * Adds a message to the outbox, which sends in order, and again after every lost connection,
   * until the message is acknowledged. Rejects when the server refuses it for good (it stays in
   * `pending` as `failed`), when the outbox is full, or when it is discarded.
   */
  send(message: OutgoingMessage): Promise<Message> {
    return this.#outbox.add(message);
  }
  /** Waiting messages, oldest first; with an id, those of that conversation. */
  pending(conversationId?: string): PendingMessage[] {
    const all = this.#outbox.list();
    // A visitor has one conversation, so all of their messages belong to it.
    if (conversationId === undefined || this.#identity?.role === "visitor") return all;
    return all.filter((entry) => (entry.conversationId ?? conversationId) === conversationId);
  }
  /** Sends a `failed` message again. */
  retry(clientMessageId: string): void {
    this.#outbox.retry(clientMessageId);
  }
  /** Withdraws a waiting message. If it is already under way, it may arrive anyway. */
  discard(clientMessageId: string): void {
    this.#outbox.discard(clientMessageId);
  }

  /**
   * Sends a new token on the current connection; this happens automatically before the old one
   * expires.
   */
  async refresh(): Promise<void> {
    const credentials = await this.#options.credentials();
    if (!("token" in credentials)) return;
    const { expiresAt } = await this.request("refresh", { token: credentials.token });
    this.#refreshBefore(expiresAt);
  }

  #identify(identity: Acks["auth"]) {
    this.#identity = identity;
    this.#emitter.emit("identity", identity);
  }

  async #sendMessage(entry: PendingMessage): Promise<Message> {
    const visitor = this.#identity?.role === "visitor";
    try {
      const { message } = await this.request("message", {
        conversationId: visitor ? undefined : entry.conversationId,
        content: entry.content,
        clientMessageId: entry.clientMessageId,
        isPrivate: entry.isPrivate,
        fileIds: entry.files?.map(({ id }) => id),
        replyToId: entry.replyToId,
      }, { patient: false });
      const { conversationId } = message;
      if (visitor && this.#identity && this.#identity.conversationId !== conversationId) {
        this.#identify({ ...this.#identity, conversationId });
      }
      return message;
    } catch (error) {
      // A connection without acknowledgements counts as lost.
      if ((error as ParleyClientError).code === "timeout") this.#connection.giveUp("no ack");
      throw error;
    }
  }

  #receive(message: ServerMessage) {
    if (message.type === "ack") return this.#requests.answered(message.id, message.data);
    if (message.type === "error") {
      return this.#requests.refused(message.id, message.error, message.data);
    }
    this.#emitter.emit("event", message);
    this.#emitter.emit(message.type, message.data);
  }

  #refreshBefore(expiresAt: string | null, role = this.#identity?.role) {
    // A session is not renewed, only tokens are.
    if (expiresAt === null || role !== "agent") return;
    this.#connection.renewBefore(expiresAt, () => this.refresh());
  }
}
