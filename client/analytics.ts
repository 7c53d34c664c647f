import type { FollowedMetric, MetricUpdate } from "../protocol/analytics.ts";
import { protect } from "./emitter.ts";
import { ParleyClientError, PASSING, toClientError } from "./errors.ts";
import type { ParleyCore } from "./parley_core.ts";

export type MetricCallback = (update: MetricUpdate) => unknown;

export interface MetricSubscription {
  /** Resolves when the server accepts it; rejects when the server refuses it. */
  readonly ready: Promise<void>;
  unsubscribe(): void;
}

interface Listener {
  metrics: ReadonlySet<string>;
  callback: MetricCallback;
  onEnd: ((error: ParleyClientError) => unknown) | undefined;
  ready: PromiseWithResolvers<void>;
  requesting: boolean;
  retry?: ReturnType<typeof setTimeout>;
}

/** Milliseconds before the next try, where the error is not about the metrics. */
const RETRY_MS = 3_000;

/**
 * Metrics as they change, over the connection of an agent's client. A subscription survives
 * reconnections: after each one it starts again with the current values.
 *
 * ```ts
 * const analytics = new Analytics(client);
 * const subscription = analytics.subscribe(["visitors_online", "performance"], ({ metric, value }) => {
 *   show(metric, value);
 * });
 * await subscription.ready;
 * ```
 */
export class Analytics {
  #client: ParleyCore;
  #listeners = new Set<Listener>();
  /** The last value of each metric, for a new listener of a metric that is already subscribed. */
  #last = new Map<string, MetricUpdate>();

  constructor(client: ParleyCore) {
    this.#client = client;
    client.on("state", (state) => {
      this.#last.clear();
      if (state !== "connected") return;
      for (const listener of this.#listeners) void this.#request(listener);
    });
    client.on("metric_update", (update) => {
      this.#last.set(update.metric, update);
      for (const { metrics, callback } of [...this.#listeners]) {
        if (metrics.has(update.metric)) protect(() => callback(update));
      }
    });
  }

  /**
   * Calls back with the current value of each of these metrics, or of a whole family, and then
   * after each change, at most once a second.
   *
   * @param onEnd the server refuses the subscription, at once or after the rights have changed
   */
  subscribe(
    metrics: readonly FollowedMetric[],
    callback: MetricCallback,
    options: { onEnd?: (error: ParleyClientError) => unknown } = {},
  ): MetricSubscription {
    const ready = Promise.withResolvers<void>();
    ready.promise.catch(() => {});
    const { onEnd } = options;
    const listener = { metrics: new Set(metrics), callback, onEnd, ready, requesting: false };
    this.#listeners.add(listener);
    void this.#request(listener);
    return { ready: ready.promise, unsubscribe: () => this.#remove(listener) };
  }

  async #request(listener: Listener): Promise<void> {
    if (listener.requesting || this.#client.state !== "connected") return;
    listener.requesting = true;
    clearTimeout(listener.retry);
    const missing = [...listener.metrics].filter((metric) => !this.#last.has(metric));
    for (const metric of listener.metrics) {
      const known = this.#last.get(metric);
      if (known !== undefined) protect(() => listener.callback(known));
    }
    try {
      if (missing.length > 0) await this.#client.request("subscribe", { metrics: missing });
      listener.requesting = false;
      listener.ready.resolve();
    } catch (reason) {
      listener.requesting = false;
      const error = toClientError(reason);
      if (!this.#listeners.has(listener)) return;
      // A new connection subscribes again, unless it is there already.
      if (error.code === "disconnected") return void this.#request(listener);
      // Without a time, the metric is not measured on this server.
      const isAbsent = error.code === "unavailable" && error.retryAfter === undefined;
      if (!isAbsent && PASSING.includes(error.code)) {
        listener.retry = setTimeout(() => this.#request(listener), error.retryAfter ?? RETRY_MS);
        return;
      }
      this.#listeners.delete(listener);
      listener.ready.reject(error);
      const { onEnd } = listener;
      if (onEnd !== undefined) protect(() => onEnd(error));
    }
  }

  #remove(listener: Listener): void {
    if (!this.#listeners.delete(listener)) return;
    clearTimeout(listener.retry);
    listener.ready.reject(new ParleyClientError("closed", "Cannot wait: unsubscribed"));
    const wanted = new Set([...this.#listeners].flatMap(({ metrics }) => [...metrics]));
    const metrics = [...listener.metrics].filter((metric) => !wanted.has(metric));
    for (const metric of metrics) this.#last.delete(metric);
    if (metrics.length === 0 || this.#client.state !== "connected") return;
    this.#client.request("unsubscribe", { metrics }).catch(() => {});
  }
}
