import type { FollowedMetric, MetricUpdate } from "../protocol/analytics.ts";
import { protect } from "./emitter.ts";
import { ParleyClientError, PASSING, toClientError } from "./errors.ts";
import type { ParleyCore } from "./parley_core.ts";

export type MetricCallback = (update: MetricUpdate) => unknown;

export interface MetricSubscription {
  /** Resolves when the server takes it; rejects when it refuses. */
  readonly ready: Promise<void>;
  unsubscribe(): void;
}

interface Listener {
  metrics: ReadonlySet<string>;
  callback: MetricCallback;
  onEnd: ((error: ParleyClientError) => unknown) | undefined;
  ready: PromiseWithResolvers<void>;
  asking: boolean;
  retry?: ReturnType<typeof setTimeout>;
}

/** Milliseconds until it is tried again, where the error says nothing about the metrics. */
const RETRY_MS = 3_000;

/**
 * Metrics as they change, over the connection of an agent's client. A subscription outlives
 * connections: after each new one it begins again with what the values are.
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
  /** What each metric was last, for who subscribes to what is followed already. */
  #last = new Map<string, MetricUpdate>();

  constructor(client: ParleyCore) {
    this.#client = client;
    client.on("state", (state) => {
      this.#last.clear();
      if (state !== "connected") return;
      for (const listener of this.#listeners) void this.#ask(listener);
    });
    client.on("metric_update", (update) => {
      this.#last.set(update.metric, update);
      for (const { metrics, callback } of [...this.#listeners]) {
        if (metrics.has(update.metric)) protect(() => callback(update));
      }
    });
  }

  /**
   * Calls back with what each of these metrics, or all of a family, is now, and whenever it has
   * changed, at most once a second.
   *
   * @param onEnd the server refuses it, at once or after the rights have changed
   */
  subscribe(
    metrics: readonly FollowedMetric[],
    callback: MetricCallback,
    options: { onEnd?: (error: ParleyClientError) => unknown } = {},
  ): MetricSubscription {
    const ready = Promise.withResolvers<void>();
    ready.promise.catch(() => {});
    const { onEnd } = options;
    const listener = { metrics: new Set(metrics), callback, onEnd, ready, asking: false };
    this.#listeners.add(listener);
    void this.#ask(listener);
    return { ready: ready.promise, unsubscribe: () => this.#remove(listener) };
  }

  async #ask(listener: Listener): Promise<void> {
    if (listener.asking || this.#client.state !== "connected") return;
    listener.asking = true;
    clearTimeout(listener.retry);
    const missing = [...listener.metrics].filter((metric) => !this.#last.has(metric));
    for (const metric of listener.metrics) {
      const known = this.#last.get(metric);
      if (known !== undefined) protect(() => listener.callback(known));
    }
    try {
      if (missing.length > 0) await this.#client.request("subscribe", { metrics: missing });
      listener.asking = false;
      listener.ready.resolve();
    } catch (reason) {
      listener.asking = false;
      const error = toClientError(reason);
      if (!this.#listeners.has(listener)) return;
      // A new connection asks again by itself, unless it is there already.
      if (error.code === "disconnected") return void this.#ask(listener);
      // Without a time it is of a metric that is not measured there.
      const isAbsent = error.code === "unavailable" && error.retryAfter === undefined;
      if (!isAbsent && PASSING.includes(error.code)) {
        listener.retry = setTimeout(() => this.#ask(listener), error.retryAfter ?? RETRY_MS);
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
