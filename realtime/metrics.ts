/**
 * Subscriptions to metrics. Each value is computed once for all its subscribers, and sent once a
 * second at most. Nothing is computed without subscribers.
 */
import { checkFollowed, isFamily, metricsFor, type Viewer } from "../domain/analytics/registry.ts";
import type { Gauges } from "../domain/analytics/registry.ts";
import { type ConversationFigures, NO_FIGURES } from "../domain/analytics/conversation_figures.ts";
import type { Analytics, LiveValue } from "../domain/analytics/service.ts";
import { audienceOf } from "../domain/principal.ts";
import {
  FAMILIES,
  type FollowedMetric,
  type MetricName,
  type MetricValue,
} from "../protocol/analytics.ts";
import { ParleyError } from "../protocol/errors.ts";
import type { HubEvent } from "./broker.ts";
import type { Connection } from "./connection.ts";
import type { Protocol } from "./protocol.ts";
import type { TimerWheel } from "./timer_wheel.ts";

export interface MetricSubscriptions {
  /**
   * Subscribes the connection: after `accept` it receives the present values, and then each change.
   *
   * @param contextId the context of the connection; null: the workspace
   * @throws {ParleyError} `not_found` with a list of all metrics, `forbidden`; `unavailable` if
   *   none of them is measured of a context.
   */
  follow(
    connection: Connection,
    contextId: string | null,
    names: readonly string[],
    accept: (names: FollowedMetric[]) => void,
  ): Promise<void>;
  /** undefined: all. */
  unfollow(connection: Connection, names?: readonly string[]): void;
}

/** What a subscriber received last, and when. */
interface LastSent {
  text: string | null;
  at: number;
}

interface Subscription {
  name: FollowedMetric;
  /** The rights of its members; for a context, those of its participants. */
  viewer: Viewer | { contextId: string };
  members: Map<Connection, LastSent>;
}

interface Reading {
  text: string;
  event: HubEvent;
}

/** How often values are read. */
const INTERVAL_MS = 1000;
/** Reading may take this part of the time at most. */
const MAX_SHARE = 1 / 20;

export interface MetricSubscriptionsOptions {
  analytics: Pick<Analytics, "live" | "ofConversations">;
  /** Present values of the hub, on all nodes. */
  gauges: () => Promise<Gauges>;
  /** The conversation of a context; null: there is none yet. */
  contextConversation: (contextId: string) => Promise<string | null>;
  /** How many people are in a conversation now. */
  peopleIn: (conversationId: string) => { agents: number; visitors: number };
  wheel: TimerWheel;
  onError: (error: unknown) => void;
  now?: () => Date;
}

export function createMetricSubscriptions(
  options: MetricSubscriptionsOptions,
): MetricSubscriptions {
  const {
    analytics,
    gauges,
    contextConversation,
    peopleIn,
    wheel,
    onError,
    now = () => new Date(),
  } = options;
  const subscriptions = new Map<string, Subscription>();
  /** Connections that are unsubscribed when they end. */
  const cleanedUp = new WeakSet<Connection>();
  let isScheduled = false;

  function viewerOf(connection: Connection, contextId: string | null): Subscription["viewer"] {
    const { principal } = connection;
    if (principal === null) {
      throw new ParleyError("unauthenticated", "Cannot subscribe: authenticate first");
    }
    if (contextId !== null) return { contextId };
    if (principal.kind !== "agent") {
      throw new ParleyError("forbidden", "Cannot subscribe to metrics: only agents may");
    }
    return principal.role;
  }

  /** The present value of each subscription; live values are read once for all of them. */
  async function read(all: readonly Subscription[]): Promise<Map<Subscription, Reading>> {
    const namesOf = ({ name, viewer }: Subscription): MetricName[] => {
      if (typeof viewer === "object") return [];
      return isFamily(name) ? metricsFor(viewer, name) : [name];
    };
    const names = [...new Set(all.flatMap(namesOf))];
    const values = names.length === 0 ? new Map() : await analytics.live(names, gauges);
    const contexts = await readContexts(all);
    const readings = new Map<Subscription, Reading>();
    for (const subscription of all) {
      const { name, viewer } = subscription;
      let live: { value: MetricValue; byChannel?: Record<string, number> };
      if (typeof viewer === "object") {
        live = { value: contexts.get(viewer.contextId)![name as ContextMetric] };
      } else if (isFamily(name)) {
        const own = namesOf(subscription).map((metric) => [metric, valueOf(values, metric).value]);
        live = { value: Object.fromEntries(own) };
      } else {
        live = valueOf(values, name);
      }
      const timestamp = now().toISOString();
      readings.set(subscription, {
        text: JSON.stringify(live),
        event: { type: "metric_update", timestamp, data: { metric: name, ...live, timestamp } },
      });
    }
    return readings;
  }

  /** All metrics of the contexts with subscribers, read with one query. */
  async function readContexts(
    all: readonly Subscription[],
  ): Promise<Map<string, Record<ContextMetric, MetricValue>>> {
    const requested = all.flatMap(({ viewer, name }) =>
      typeof viewer === "object" ? [{ contextId: viewer.contextId, name }] : []
    );
    const contexts = [...new Set(requested.map(({ contextId }) => contextId))];
    const ids = new Map(
      await Promise.all(
        contexts.map(async (contextId) =>
          [contextId, await contextConversation(contextId)] as const
        ),
      ),
    );
    // Activity needs no query.
    const counted = requested.filter(({ name }) => name !== "activity")
      .flatMap(({ contextId }) => ids.get(contextId) ?? []);
    const figures = counted.length === 0
      ? new Map<string, ConversationFigures>()
      : await analytics.ofConversations([...new Set(counted)]);
    return new Map(contexts.map((contextId) => {
      const id = ids.get(contextId) ?? null;
      const { agents, visitors } = id === null ? { agents: 0, visitors: 0 } : peopleIn(id);
      const { engagement, performance } = figures.get(id ?? "") ?? NO_FIGURES;
      const activity = { agents_online: agents, visitors_online: visitors };
      return [contextId, {
        activity,
        engagement: { ...engagement },
        performance: { ...performance },
      }];
    }));
  }

  function send(subscription: Subscription, { text, event }: Reading, only?: Connection): void {
    const at = performance.now();
    const encoded = new Map<Protocol, string | null>();
    for (const [connection, last] of subscription.members) {
      if (only !== undefined && connection !== only) continue;
      if (last.text === text || (last.text !== null && at - last.at < INTERVAL_MS)) continue;
      if (!hasRight(connection, subscription)) continue;
      const { protocol, principal } = connection;
      let line = encoded.get(protocol);
      if (line === undefined) {
        line = protocol.encode(event, null, audienceOf(principal!));
        encoded.set(protocol, line);
      }
      last.text = text;
      last.at = at;
      if (line !== null) connection.send(line);
    }
  }

  /** Rights may have changed since the subscription: a member that lost them receives an error. */
  function hasRight(connection: Connection, subscription: Subscription): boolean {
    const { principal } = connection;
    if (typeof subscription.viewer === "object") return principal !== null;
    if (principal?.kind === "agent" && principal.role === subscription.viewer) return true;
    leave(connection, subscription);
    try {
      const viewer = viewerOf(connection, null);
      const [name] = checkFollowed([subscription.name], viewer as Viewer);
      join(connection, name!, viewer);
    } catch (error) {
      connection.fail(error as ParleyError);
    }
    return false;
  }

  async function sendAll(): Promise<void> {
    const all = [...subscriptions.values()];
    for (const [subscription, reading] of await read(all)) send(subscription, reading);
  }

  function schedule(ms = INTERVAL_MS): void {
    if (isScheduled || subscriptions.size === 0) return;
    isScheduled = true;
    wheel.after(ms, () => {
      const start = performance.now();
      const again = (tookMs: number) => {
        isScheduled = false;
        schedule(Math.max(INTERVAL_MS, tookMs / MAX_SHARE));
      };
      void sendAll().then(() => again(performance.now() - start), (error) => {
        onError(error);
        // The time of a failure is not the cost of a read.
        again(0);
      });
    });
  }

  function join(connection: Connection, name: FollowedMetric, viewer: Subscription["viewer"]) {
    const key = JSON.stringify([name, viewer]);
    const known = subscriptions.get(key);
    const subscription = known ?? { name, viewer, members: new Map<Connection, LastSent>() };
    subscriptions.set(key, subscription);
    // A connection that subscribes again receives the value again.
    subscription.members.set(connection, { text: null, at: 0 });
    if (!cleanedUp.has(connection)) {
      cleanedUp.add(connection);
      connection.cleanups.push(() => unfollow(connection));
    }
    return subscription;
  }

  function leave(connection: Connection, subscription: Subscription): void {
    const { name, viewer, members } = subscription;
    members.delete(connection);
    if (members.size === 0) subscriptions.delete(JSON.stringify([name, viewer]));
  }

  function unfollow(connection: Connection, names?: readonly string[]): void {
    for (const subscription of [...subscriptions.values()]) {
      if (names === undefined || names.includes(subscription.name)) leave(connection, subscription);
    }
  }

  return {
    async follow(connection, contextId, requested, accept) {
      const viewer = viewerOf(connection, contextId);
      const names = typeof viewer === "object"
        ? checkOfContext(requested)
        : checkFollowed(requested, viewer);
      accept(names);
      if (connection.isOver) return;
      const joined = names.map((name) => join(connection, name, viewer));
      schedule();
      for (const [subscription, reading] of await read(joined)) {
        send(subscription, reading, connection);
      }
    },
    unfollow,
  };
}

function valueOf(values: ReadonlyMap<MetricName, LiveValue>, name: MetricName): LiveValue {
  return values.get(name) ?? { value: null };
}

/** Of a context only the families are measured, with the metrics of one conversation. */
type ContextMetric = (typeof FAMILIES)[number];

function checkOfContext(names: readonly string[]): FollowedMetric[] {
  const known = checkFollowed(names, "admin");
  const measured = known.filter(isFamily);
  if (measured.length > 0) return measured;
  const others = known.map((name) => `"${name}"`).join(", ");
  throw new ParleyError(
    "unavailable",
    `Cannot subscribe: ${others} is not measured of a context, only ${FAMILIES.join(", ")}`,
  );
}
