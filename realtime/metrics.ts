/**
 * Who follows which metrics. Each value is computed once, however many follow it, and told at most
 * once a second to each; nothing is computed while nobody follows.
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
   * From now on the connection is told of these, beginning with what they are now, after `accept`.
   *
   * @param contextId that the connection is for; null: the workspace
   * @throws {ParleyError} `not_found` with a list of all there are, `forbidden`; `unavailable` where
   *   only single ones are named, of a context.
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

/** What a member was told, and when. */
interface Told {
  text: string | null;
  at: number;
}

interface Followed {
  name: FollowedMetric;
  /** Whose rights its members have; of a context: nobody's but its own people's. */
  viewer: Viewer | { contextId: string };
  members: Map<Connection, Told>;
}

interface Reading {
  text: string;
  event: HubEvent;
}

/** How often values are looked at, and so told at most. */
const EVERY_MS = 1000;
/** Looking takes this part of the time at most. */
const SHARE = 1 / 20;

export interface MetricSubscriptionsOptions {
  analytics: Pick<Analytics, "live" | "ofConversations">;
  /** What the hub knows, on all nodes. */
  gauges: () => Promise<Gauges>;
  /** The conversation of a context; null: nobody has opened it. */
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
  const followed = new Map<string, Followed>();
  const watched = new WeakSet<Connection>();
  let looking = false;

  function viewerOf(connection: Connection, contextId: string | null): Followed["viewer"] {
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

  /** What each of these is now; live values are read once for all of them. */
  async function read(all: readonly Followed[]): Promise<Map<Followed, Reading>> {
    const namesOf = ({ name, viewer }: Followed): MetricName[] => {
      if (typeof viewer === "object") return [];
      return isFamily(name) ? metricsFor(viewer, name) : [name];
    };
    const names = [...new Set(all.flatMap(namesOf))];
    const values = names.length === 0 ? new Map() : await analytics.live(names, gauges);
    const contexts = await readContexts(all);
    const readings = new Map<Followed, Reading>();
    for (const one of all) {
      const { name, viewer } = one;
      let live: { value: MetricValue; byChannel?: Record<string, number> };
      if (typeof viewer === "object") {
        live = { value: contexts.get(viewer.contextId)![name as ContextMetric] };
      } else if (isFamily(name)) {
        const own = namesOf(one).map((metric) => [metric, valueOf(values, metric).value]);
        live = { value: Object.fromEntries(own) };
      } else {
        live = valueOf(values, name);
      }
      const timestamp = now().toISOString();
      readings.set(one, {
        text: JSON.stringify(live),
        event: { type: "metric_update", timestamp, data: { metric: name, ...live, timestamp } },
      });
    }
    return readings;
  }

  /** Everything that is measured of the contexts that are followed, read for all of them at once. */
  async function readContexts(
    all: readonly Followed[],
  ): Promise<Map<string, Record<ContextMetric, MetricValue>>> {
    const asked = all.flatMap(({ viewer, name }) =>
      typeof viewer === "object" ? [{ contextId: viewer.contextId, name }] : []
    );
    const contexts = [...new Set(asked.map(({ contextId }) => contextId))];
    const ids = new Map(
      await Promise.all(
        contexts.map(async (contextId) =>
          [contextId, await contextConversation(contextId)] as const
        ),
      ),
    );
    // Who is there is known without asking the database.
    const counted = asked.filter(({ name }) => name !== "activity")
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

  function tell(one: Followed, { text, event }: Reading, only?: Connection): void {
    const at = performance.now();
    const encoded = new Map<Protocol, string | null>();
    for (const [connection, told] of one.members) {
      if (only !== undefined && connection !== only) continue;
      if (told.text === text || (told.text !== null && at - told.at < EVERY_MS)) continue;
      if (!hasRight(connection, one)) continue;
      const { protocol, principal } = connection;
      let line = encoded.get(protocol);
      if (line === undefined) {
        line = protocol.encode(event, null, audienceOf(principal!));
        encoded.set(protocol, line);
      }
      told.text = text;
      told.at = at;
      if (line !== null) connection.send(line);
    }
  }

  /** Rights may have changed since they were looked at: whoever lost them is told so. */
  function hasRight(connection: Connection, one: Followed): boolean {
    const { principal } = connection;
    if (typeof one.viewer === "object") return principal !== null;
    if (principal?.kind === "agent" && principal.role === one.viewer) return true;
    leave(connection, one);
    try {
      const viewer = viewerOf(connection, null);
      const [name] = checkFollowed([one.name], viewer as Viewer);
      join(connection, name!, viewer);
    } catch (error) {
      connection.fail(error as ParleyError);
    }
    return false;
  }

  async function look(): Promise<void> {
    const all = [...followed.values()];
    for (const [one, reading] of await read(all)) tell(one, reading);
  }

  function lookLater(ms = EVERY_MS): void {
    if (looking || followed.size === 0) return;
    looking = true;
    wheel.after(ms, () => {
      const start = performance.now();
      const again = (tookMs: number) => {
        looking = false;
        lookLater(Math.max(EVERY_MS, tookMs / SHARE));
      };
      void look().then(() => again(performance.now() - start), (error) => {
        onError(error);
        // How long it took to fail says nothing of what it costs.
        again(0);
      });
    });
  }

  function join(connection: Connection, name: FollowedMetric, viewer: Followed["viewer"]) {
    const key = JSON.stringify([name, viewer]);
    const one = followed.get(key) ?? { name, viewer, members: new Map<Connection, Told>() };
    followed.set(key, one);
    // Who asks again is told again.
    one.members.set(connection, { text: null, at: 0 });
    if (!watched.has(connection)) {
      watched.add(connection);
      connection.cleanups.push(() => unfollow(connection));
    }
    return one;
  }

  function leave(connection: Connection, one: Followed): void {
    one.members.delete(connection);
    if (one.members.size === 0) followed.delete(JSON.stringify([one.name, one.viewer]));
  }

  function unfollow(connection: Connection, names?: readonly string[]): void {
    for (const one of [...followed.values()]) {
      if (names === undefined || names.includes(one.name)) leave(connection, one);
    }
  }

  return {
    async follow(connection, contextId, asked, accept) {
      const viewer = viewerOf(connection, contextId);
      const names = typeof viewer === "object"
        ? checkOfContext(asked)
        : checkFollowed(asked, viewer);
      accept(names);
      if (connection.isOver) return;
      const joined = names.map((name) => join(connection, name, viewer));
      lookLater();
      for (const [one, reading] of await read(joined)) tell(one, reading, connection);
    },
    unfollow,
  };
}

function valueOf(values: ReadonlyMap<MetricName, LiveValue>, name: MetricName): LiveValue {
  return values.get(name) ?? { value: null };
}

/** Of a context there are the families, with what of them can be said of one conversation. */
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
