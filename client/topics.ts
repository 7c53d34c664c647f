/**
 * Events of conversations by subscription: over one socket at `/api/v1/ws`, and where sockets are
 * blocked by polling every 3 seconds, with the same events, each once. A separate module, so that
 * programs that do not need it do not load it.
 *
 * ```ts
 * const topics = new TopicsClient({ url, credentials: async () => ({ token: await accessToken() }) });
 * await topics.connect();
 * topics.subscribeToConversation(id, ({ event, message }) => console.log(event, message?.body.text));
 * ```
 */
import type { ConversationEvent } from "../protocol/topics.ts";
import { createEmitter, protect } from "./emitter.ts";
import { type ParleyClientError, PASSING, toClientError } from "./errors.ts";
import { isFinal } from "./reconnecting.ts";
import { createTopicsConnection, toError, type TopicsConnection } from "./topics_connection.ts";
import { createFeed, type Feed } from "./topics_feed.ts";
import { readPage, topicsUrls } from "./topics_pages.ts";
import type {
  TopicsEvents,
  TopicsMessage,
  TopicsOptions,
  TopicsSettings,
  TopicsState,
} from "./topics_types.ts";

export type { ConversationEvent } from "../protocol/topics.ts";
export { type ClientErrorCode, ParleyClientError } from "./errors.ts";
export type { TopicsEvents, TopicsOptions, TopicsState } from "./topics_types.ts";
export type { Credentials } from "./types.ts";

type Callback = (event: ConversationEvent) => unknown;

interface Topic {
  id: string;
  feed: Feed;
  callbacks: Set<Callback>;
  /** The socket lost an event, which has to be read over HTTP. */
  behind: boolean;
  reading: boolean;
  /** Before this time (ms since 1970) it is not read again. */
  notBefore: number;
}

const DEFAULTS = {
  pollMs: 3_000,
  timeoutMs: 10_000,
  minDelayMs: 1_000,
  maxDelayMs: 30_000,
  silenceMs: 30_000,
};
/** Milliseconds that an event may arrive after a heartbeat that names its position. */
const POSITION_GRACE_MS = 2_000;
/** Errors that say that the credentials are invalid. */
const REFUSED = ["invalid_token", "invalid_session", "origin_not_allowed", "unauthenticated"];
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

export class TopicsClient {
  #options: TopicsSettings;
  #urls: ReturnType<typeof topicsUrls>;
  #emitter = createEmitter<TopicsEvents>();
  #connection: TopicsConnection;
  #topics = new Map<string, Topic>();
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(options: TopicsOptions) {
    const given = Object.entries(options).filter(([, value]) => value !== undefined);
    const settings = { ...DEFAULTS, ...Object.fromEntries(given) } as TopicsSettings;
    this.#options = settings;
    this.#urls = topicsUrls(options.url);
    this.#connection = createTopicsConnection(settings, this.#urls.socket, {
      state: (state) => this.#changed(state),
      message: (message) => this.#receive(message),
      error: (error) => this.#emitter.emit("error", { error }),
    });
  }

  get state(): TopicsState {
    return this.#connection.state;
  }

  /** Whether events come over the socket. While they are polled, this is false. */
  isConnected(): boolean {
    return this.state === "live";
  }

  /** Listens to one of `TopicsEvents`; returns a function that removes the handler. */
  on<T extends keyof TopicsEvents>(type: T, handler: (data: TopicsEvents[T]) => unknown) {
    return this.#emitter.on(type, handler);
  }

  /**
   * Connects and stays connected. Resolves when the state is `live`, or `polling` because there is
   * no socket; rejects with a ParleyClientError when the credentials are invalid, or when it is
   * disconnected before.
   */
  connect(): Promise<void> {
    return this.#connection.begin();
  }

  /** Ends the connection, the polling and every subscription. */
  disconnect(): void {
    this.#connection.end("closed");
  }

  /**
   * Calls back for every event of a conversation from now on, or after a known event (`after`: its
   * id). May be called before `connect`. Returns false where it cannot succeed: the id is not a
   * UUID, or the client was disconnected.
   */
  subscribeToConversation(conversationID: string, callback: Callback, after?: string): boolean {
    const id = conversationID.toLowerCase();
    if (!UUID.test(id) || this.state === "closed" || this.state === "failed") return false;
    const known = this.#topics.get(id);
    if (known !== undefined) {
      known.callbacks.add(callback);
      return true;
    }
    const callbacks = new Set([callback]);
    const feed = createFeed(id, (event) => {
      for (const one of [...callbacks]) protect(() => one(event));
    });
    if (after !== undefined) feed.begin(after);
    const topic = { id, feed, callbacks, behind: false, reading: false, notBefore: 0 };
    this.#topics.set(id, topic);
    if (this.state === "polling") void this.#read(topic);
    else this.#subscribe(topic);
    return true;
  }

  /** Ends the subscription. With a callback, only that callback, as long as there are others. */
  unsubscribeFromConversation(conversationID: string, callback?: Callback): void {
    const topic = this.#topics.get(conversationID.toLowerCase());
    if (topic === undefined) return;
    if (callback === undefined) topic.callbacks.clear();
    else topic.callbacks.delete(callback);
    if (topic.callbacks.size > 0) return;
    this.#topics.delete(topic.id);
    this.#send(topic, "unsubscribe");
  }

  #changed(state: TopicsState) {
    if (state === "live") this.#topics.forEach((topic) => this.#subscribe(topic));
    if (state === "live" || state === "polling") void this.#poll();
    if (state === "failed" || state === "closed") {
      clearTimeout(this.#timer);
      this.#topics.clear();
    }
    this.#emitter.emit("state", state);
  }

  #receive(message: TopicsMessage) {
    const id = "conversationID" in message
      ? message.conversationID
      : "resourceID" in message
      ? message.resourceID
      : undefined;
    const topic = this.#topics.get(id ?? "");
    if (message.type === "heartbeat") return this.#compare(message.positions);
    if (topic === undefined) return;
    switch (message.type) {
      case "subscription":
        if (message.position === undefined) return;
        topic.feed.subscribed(message.position, message.reset === true);
        if (message.reset) void this.#read(topic);
        return;
      case "conversationEvent":
        if (!topic.feed.live(message.id, message)) void this.#read(topic);
        return;
      case "position":
        if (!topic.feed.live(message.position)) void this.#read(topic);
        return;
      case "error":
        return this.#refused(topic, toError(message));
    }
  }

  #refused(topic: Topic, error: ParleyClientError) {
    const { id } = topic;
    if (!PASSING.includes(error.code)) {
      if (this.#topics.get(id) === topic) this.#topics.delete(id);
      return this.#emitter.emit("error", { error, conversationID: id });
    }
    this.#after(error.retryAfter ?? this.#options.pollMs, () => {
      if (this.#topics.get(id) === topic) this.#subscribe(topic);
    });
  }

  #subscribe(topic: Topic) {
    this.#send(topic, "subscribe", topic.feed.after);
  }

  #send({ id }: Topic, action: "subscribe" | "unsubscribe", after?: string) {
    if (this.state !== "live") return;
    const events = action === "subscribe" ? { events: "all" } : {};
    const topic = "conversationEvent";
    const frame = { type: "subscription", action, topic, resourceID: id, ...events };
    this.#connection.send(after === undefined ? frame : { ...frame, after });
  }

  /** In a quiet conversation only a heartbeat shows that the last event was lost. */
  #compare(positions: Record<string, string>) {
    const behind = () =>
      Object.entries(positions).flatMap(([id, position]) => {
        const topic = this.#topics.get(id);
        return topic?.feed.isBehind(position) ? [topic] : [];
      });
    if (behind().length === 0) return;
    this.#after(POSITION_GRACE_MS, () => behind().forEach((topic) => void this.#read(topic)));
  }

  /** Calls `fn` later, unless the client has ended by then. */
  #after(ms: number, fn: () => void) {
    const signal = this.#connection.signal();
    const forget = () => clearTimeout(timer);
    const timer = setTimeout(() => {
      signal.removeEventListener("abort", forget);
      fn();
    }, ms);
    signal.addEventListener("abort", forget, { once: true });
  }

  /**
   * Reads one conversation after the other; while a socket is there, only those that lost
   * something.
   */
  async #poll() {
    const signal = this.#connection.signal();
    for (const topic of [...this.#topics.values()]) {
      if (this.state === "polling" || topic.behind) await this.#read(topic);
    }
    clearTimeout(this.#timer);
    if (!signal.aborted) this.#timer = setTimeout(() => this.#poll(), this.#options.pollMs);
  }

  /** Reads the events after the known position; after a failure the next poll tries again. */
  async #read(topic: Topic): Promise<void> {
    topic.behind = true;
    if (topic.reading || Date.now() < topic.notBefore) return;
    topic.reading = true;
    try {
      let more = true;
      while (more && this.#topics.get(topic.id) === topic) {
        topic.behind = false;
        more = await this.#readPage(topic) || topic.behind;
      }
    } catch (reason) {
      topic.behind = true;
      this.#readFailed(topic, reason);
    } finally {
      topic.reading = false;
    }
  }

  /** Returns whether there is more. */
  async #readPage(topic: Topic): Promise<boolean> {
    const { timeoutMs, fetch: fetchPage = fetch } = this.#options;
    const page = await readPage({
      url: this.#urls.events(topic.id),
      after: topic.feed.after,
      credentials: await this.#connection.credentials(),
      timeoutMs,
      signal: this.#connection.signal(),
      // A plain call: browsers refuse `fetch` as a method of another object.
      fetch: (...request) => fetchPage(...request),
    });
    if (this.#topics.get(topic.id) !== topic) return false;
    if (page.reset) {
      topic.feed.begin(page.nextCursor);
      this.#emitter.emit("reset", { conversationID: topic.id });
    } else {
      topic.feed.page(page.items, page.nextCursor);
    }
    return page.hasMore;
  }

  #readFailed(topic: Topic, reason: unknown) {
    const connection = this.#connection;
    const error = toClientError(reason, "credentials");
    if (connection.signal().aborted) return;
    connection.debug("reading failed:", error.code, error.message);
    if (isFinal(reason) || REFUSED.includes(error.code)) return connection.end("failed", error);
    if (error.code === "token_expired") connection.markExpired();
    else if (error.code === "not_found" || error.code === "invalid") this.#refused(topic, error);
    else topic.notBefore = Date.now() + (error.retryAfter ?? 0);
  }
}
