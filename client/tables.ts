import type { DatabaseChange, Subscribed, TableName, TableRow } from "../protocol/tables.ts";
import { protect } from "./emitter.ts";
import { ParleyClientError, PASSING, toClientError } from "./errors.ts";
import type { ParleyCore } from "./parley_core.ts";

export type ChangeEvent = "INSERT" | "UPDATE" | "DELETE";
export type { DatabaseChange, TableName, TableRow };

/** A change of a table whose rows are `T`. */
export type TableChange<T = TableRow> =
  & Omit<DatabaseChange, "data" | "new" | "old">
  & { data: T; new: T | null; old: T | null };
export type TableChangeCallback<T = TableRow> = (change: TableChange<T>) => unknown;

export interface TableSubscriptionOptions {
  /** Changes were missed during a long absence and cannot be replayed: read the table again. */
  onGap?: () => unknown;
  /** The server refuses or has ended the subscription. */
  onEnd?: (error: ParleyClientError) => unknown;
}

export interface TableSubscription {
  /** Resolves when changes are received; rejects when the server refuses. */
  readonly ready: Promise<void>;
  unsubscribe(): void;
}

/** One subscription at the server, shared by all callers with the same request. */
interface Shared {
  key: string;
  request: { table: TableName; events: ChangeEvent[]; filter?: string };
  listeners: Set<Listener>;
  /** The server's id for it on this connection. */
  id: string | null;
  /** The last change that was applied. */
  after: string | undefined;
  subscribing: boolean;
  retry?: ReturnType<typeof setTimeout>;
}

interface Listener extends TableSubscriptionOptions {
  callback: TableChangeCallback;
  ready: PromiseWithResolvers<void>;
}

const ALL: readonly ChangeEvent[] = ["INSERT", "UPDATE", "DELETE"];
/** Changes that arrived before the answer that names their subscription. */
const MAX_EARLY = 1_000;
/** Milliseconds before the next try, where the error is not about the subscription. */
const RETRY_MS = 3_000;

/**
 * Changes of the server's tables over the connection of a client, in the order of commits and each
 * once. Subscriptions survive reconnections: missed changes come first, or `onGap` says that they
 * are lost.
 *
 * ```ts
 * const tables = new Tables(client);
 * const subscription = tables.subscribeToTable("conversations", ({ data }) => show(data),
 *   ["INSERT", "UPDATE"], "status=open & last_seq>=10");
 * await subscription.ready;
 * ```
 */
export class Tables {
  #client: ParleyCore;
  #shared = new Map<string, Shared>();
  #early: (DatabaseChange & { subscription: string })[] = [];

  constructor(client: ParleyCore) {
    this.#client = client;
    client.on("state", (state) => {
      this.#early = [];
      for (const shared of this.#shared.values()) {
        shared.id = null;
        if (state === "connected") void this.#subscribe(shared);
      }
    });
    client.on("database_change", (change) => this.#receive(change));
    client.on("subscription_ended", ({ subscription, code, reason }) => {
      const shared = this.#byId(subscription);
      if (shared === undefined) return;
      shared.id = null;
      if (code !== "overloaded") return this.#end(shared, new ParleyClientError(code, reason));
      // The answer says whether it can continue where it was.
      void this.#subscribe(shared);
    });
  }

  /**
   * Calls back for each change of the table that is one of `events` and matches `filter`:
   * conditions `column operator value` with `=`, `!=`, `>`, `<`, `>=`, `<=` and `in (a, b)`, joined
   * by `&`.
   */
  subscribeToTable<T = TableRow>(
    table: TableName,
    callback: TableChangeCallback<T>,
    events: readonly ChangeEvent[] = ALL,
    filter?: string,
    options: TableSubscriptionOptions = {},
  ): TableSubscription {
    const wanted = ALL.filter((event) => events.includes(event));
    const request = { table, events: wanted, ...(filter ? { filter } : {}) };
    const key = JSON.stringify(request);
    let shared = this.#shared.get(key);
    if (shared === undefined) {
      shared = {
        key,
        request,
        listeners: new Set(),
        id: null,
        after: undefined,
        subscribing: false,
      };
      this.#shared.set(key, shared);
    }
    const ready = Promise.withResolvers<void>();
    ready.promise.catch(() => {});
    const listener = { ...options, callback: callback as TableChangeCallback, ready };
    shared.listeners.add(listener);
    if (shared.id !== null) ready.resolve();
    else void this.#subscribe(shared);
    return { ready: ready.promise, unsubscribe: () => this.#remove(shared, listener) };
  }

  /** New messages of a session's conversation. A visitor passes their own session id. */
  subscribeToChatMessages<T = TableRow>(
    sessionId: string,
    callback: TableChangeCallback<T>,
  ): TableSubscription {
    const filter = is("session_id", sessionId);
    return this.subscribeToTable("chat_messages", callback, ["INSERT"], filter);
  }

  subscribeToChatSession<T = TableRow>(
    sessionId: string,
    callback: TableChangeCallback<T>,
  ): TableSubscription {
    const filter = is("session_id", sessionId);
    return this.subscribeToTable("chat_sessions", callback, ["UPDATE"], filter);
  }

  subscribeToContextRules<T = TableRow>(callback: TableChangeCallback<T>): TableSubscription {
    return this.subscribeToTable("context_rules", callback);
  }

  subscribeToWidgetConfigs<T = TableRow>(
    userId: string,
    callback: TableChangeCallback<T>,
  ): TableSubscription {
    return this.subscribeToTable("widget_configs", callback, ALL, is("user_id", userId));
  }

  /** New notifications of the signed-in user. Returns a function that ends it. */
  subscribeToNotifications<T = TableRow>(
    userId: string,
    callback: (notification: T) => unknown,
  ): () => void {
    if (!userId) return () => {};
    const onChange = ({ data }: TableChange<T>) => callback(data);
    const filter = is("user_id", userId);
    return this.subscribeToTable("notifications", onChange, ["INSERT"], filter).unsubscribe;
  }

  async #subscribe(shared: Shared): Promise<void> {
    const client = this.#client;
    if (shared.subscribing || shared.id !== null || client.state !== "connected") return;
    shared.subscribing = true;
    clearTimeout(shared.retry);
    const { after, request } = shared;
    try {
      const answer = await client.request("subscribe", { ...request, ...(after ? { after } : {}) });
      shared.subscribing = false;
      this.#subscribed(shared, answer as Subscribed);
    } catch (reason) {
      shared.subscribing = false;
      const error = toClientError(reason);
      // After a lost connection it subscribes again anyway, unless it is connected already.
      if (error.code === "disconnected") return void this.#subscribe(shared);
      if (!PASSING.includes(error.code)) return this.#end(shared, error);
      shared.retry = setTimeout(() => this.#subscribe(shared), error.retryAfter ?? RETRY_MS);
    }
  }

  #subscribed(shared: Shared, { subscription, position, recovered, changes = [] }: Subscribed) {
    const current = this.#shared.get(shared.key);
    if (current === undefined) this.#leave(subscription);
    // Or the same was subscribed again meanwhile, and has this subscription.
    if (current !== shared) return;
    shared.id = subscription;
    if (recovered === false) {
      for (const { onGap } of shared.listeners) if (onGap) protect(onGap);
    }
    for (const change of changes) this.#apply(shared, change);
    shared.after = position;
    for (const { ready } of shared.listeners) ready.resolve();
    const waiting = this.#early;
    this.#early = [];
    for (const change of waiting) this.#receive(change);
  }

  #receive(change: DatabaseChange & { subscription: string }) {
    const shared = this.#byId(change.subscription);
    if (shared !== undefined) return this.#apply(shared, change);
    const subscribing = [...this.#shared.values()].some((one) => one.subscribing);
    if (subscribing && this.#early.length < MAX_EARLY) this.#early.push(change);
  }

  #apply(shared: Shared, change: DatabaseChange) {
    shared.after = change.id;
    for (const { callback } of [...shared.listeners]) protect(() => callback(change));
  }

  #byId(id: string): Shared | undefined {
    for (const shared of this.#shared.values()) if (shared.id === id) return shared;
  }

  #remove(shared: Shared, listener: Listener) {
    if (!shared.listeners.delete(listener)) return;
    listener.ready.reject(new ParleyClientError("closed", "Cannot wait: unsubscribed"));
    if (shared.listeners.size > 0) return;
    this.#forget(shared);
    if (shared.id !== null) this.#leave(shared.id);
  }

  #leave(subscription: string) {
    if (this.#client.state !== "connected") return;
    this.#client.request("unsubscribe", { subscription }).catch(() => {});
  }

  #end(shared: Shared, error: ParleyClientError) {
    this.#forget(shared);
    for (const { ready, onEnd } of shared.listeners) {
      ready.reject(error);
      if (onEnd) protect(() => onEnd(error));
    }
  }

  #forget(shared: Shared) {
    clearTimeout(shared.retry);
    if (this.#shared.get(shared.key) === shared) this.#shared.delete(shared.key);
  }
}

/** Quotes any string as a value of a filter. No id contains both kinds of quotes. */
function is(column: string, value: string): string {
  return value.includes('"') ? `${column}='${value}'` : `${column}="${value}"`;
}
