/**
 * Every metric: what it means, who may see it, and what it is computed from.
 * docs/protocols/native.md lists them.
 */
import { ParleyError } from "../../protocol/errors.ts";
import {
  FAMILIES,
  type FollowedMetric,
  type MetricDescription,
  type MetricDimension,
  type MetricFamily,
  type MetricName,
  METRICS,
  type MetricUnit,
} from "../../protocol/analytics.ts";

/** Metrics that are stored as points; see fold.ts and process_counters.ts. */
export type PointMetric =
  | "messages_in"
  | "messages_out"
  | "started"
  | "returning"
  | "sessions"
  | "wrote"
  | "resolved"
  | "resolved_messages"
  | "first_response"
  | "response"
  | "resolution"
  | "delivery"
  | "receipt"
  | "closes"
  | "abnormal_closes"
  | "joins"
  | "rejoins";

/** What the hubs of all nodes know now. */
export interface Gauges {
  visitors_online: number;
  agents_online: number;
  typing_now: number;
  connections: number;
}

export type MetricSource =
  | { kind: "gauge"; gauge: keyof Gauges }
  /** Of the conversations that are open now. */
  | { kind: "state"; state: "open" | "waiting" | "bot" }
  /** Now: in the last minute. */
  | { kind: "messages"; of: "messages_in" | "messages_out" }
  | { kind: "sum"; of: PointMetric }
  | { kind: "ratio"; of: PointMetric; per: PointMetric }
  | { kind: "quantile"; of: PointMetric; q: number }
  | { kind: "rating" };

export interface MetricDefinition {
  family: MetricFamily;
  unit: MetricUnit;
  about: string;
  source: MetricSource;
  /** Only admins may see it. */
  admin?: true;
  dimensions: readonly MetricDimension[];
  /** Where its conversations are found: in facts of this kind, in ratings, or in the messages. */
  drillDown?: "messages_in" | "messages_out" | "ratings" | FactKind;
}

export type FactKind =
  | "session"
  | "wrote"
  | "started"
  | "first_response"
  | "response"
  | "resolution";

const NONE = [] as const;
const BOTH = ["agent", "channel"] as const;
const CHANNEL = ["channel"] as const;
/** For metrics that are made of conversations. */
const LABEL = ["team", "channel", "label"] as const;
const ALL = ["agent", "team", "channel", "label"] as const;

const times = (
  of: "first_response" | "response" | "resolution",
  q: number,
  about: string,
): MetricDefinition => ({
  family: "performance",
  unit: "seconds",
  about,
  source: { kind: "quantile", of, q },
  dimensions: ALL,
  drillDown: of,
});
const gauge = (gauge: keyof Gauges, about: string): MetricDefinition => ({
  family: "activity",
  unit: "count",
  about,
  source: { kind: "gauge", gauge },
  dimensions: NONE,
});
const state = (state: "open" | "waiting" | "bot", about: string): MetricDefinition => ({
  family: "activity",
  unit: "count",
  about,
  source: { kind: "state", state },
  dimensions: NONE,
});
const delivery = (of: "delivery" | "receipt", q: number, about: string): MetricDefinition => ({
  family: "performance",
  unit: "milliseconds",
  about,
  source: { kind: "quantile", of, q },
  dimensions: NONE,
  admin: true,
});

export const DEFINITIONS: Record<MetricName, MetricDefinition> = {
  visitors_online: gauge("visitors_online", "Visitors with a connection"),
  agents_online: gauge("agents_online", "Agents with a connection"),
  typing_now: gauge("typing_now", "People who are typing"),
  connections: { ...gauge("connections", "Open sockets on all nodes"), admin: true },
  conversations_open: state("open", "Conversations that are open"),
  conversations_waiting: state(
    "waiting",
    "Open conversations in which a visitor waits for a person",
  ),
  conversations_bot: state("bot", "Open conversations in which the bot wrote last"),
  messages_in: {
    family: "activity",
    unit: "count",
    about: "Messages of visitors; now: in the last minute",
    source: { kind: "messages", of: "messages_in" },
    dimensions: CHANNEL,
    drillDown: "messages_in",
  },
  messages_out: {
    family: "activity",
    unit: "count",
    about: "Messages to visitors, of agents and bots; now: in the last minute",
    source: { kind: "messages", of: "messages_out" },
    dimensions: BOTH,
    drillDown: "messages_out",
  },
  conversations_started: {
    family: "engagement",
    unit: "count",
    about: "Conversations in which a visitor wrote for the first time, or after they were resolved",
    source: { kind: "sum", of: "started" },
    dimensions: LABEL,
    drillDown: "started",
  },
  conversations_resolved: {
    family: "engagement",
    unit: "count",
    about: "Conversations that were resolved after a visitor had written",
    source: { kind: "sum", of: "resolved" },
    dimensions: ALL,
    drillDown: "resolution",
  },
  writing_share: {
    family: "engagement",
    unit: "share",
    about: "Visitors' sessions in which something was written, of those that began in the range",
    source: { kind: "ratio", of: "wrote", per: "sessions" },
    dimensions: NONE,
  },
  returning_share: {
    family: "engagement",
    unit: "share",
    about: "Conversations started by someone whose earlier one was resolved, of all started",
    source: { kind: "ratio", of: "returning", per: "started" },
    dimensions: LABEL,
    drillDown: "started",
  },
  messages_per_conversation: {
    family: "engagement",
    unit: "count",
    about: "Public messages of a conversation, on average, of those that were resolved",
    source: { kind: "ratio", of: "resolved_messages", per: "resolved" },
    dimensions: ALL,
    drillDown: "resolution",
  },
  satisfaction: {
    family: "engagement",
    unit: "score",
    about: "Visitors' ratings, 1 to 5, on average",
    source: { kind: "rating" },
    dimensions: ALL,
    drillDown: "ratings",
  },
  first_response_median: times(
    "first_response",
    0.5,
    "Half of all visitors waited less for an agent's first answer, in business hours",
  ),
  first_response_p90: times(
    "first_response",
    0.9,
    "Nine of ten visitors waited less for an agent's first answer, in business hours",
  ),
  response_median: times(
    "response",
    0.5,
    "Half of all answers of agents came faster, in business hours",
  ),
  response_p90: times(
    "response",
    0.9,
    "Nine of ten answers of agents came faster, in business hours",
  ),
  resolution_median: times(
    "resolution",
    0.5,
    "Half of all conversations were resolved faster, in business hours",
  ),
  resolution_p90: times(
    "resolution",
    0.9,
    "Nine of ten conversations were resolved faster, in business hours",
  ),
  delivery_p50: delivery(
    "delivery",
    0.5,
    "From a message's commit until it was given to its readers' sockets, median",
  ),
  delivery_p95: delivery(
    "delivery",
    0.95,
    "From a message's commit until it was given to its readers' sockets, 95th percentile",
  ),
  delivery_p99: delivery(
    "delivery",
    0.99,
    "From a message's commit until it was given to its readers' sockets, 99th percentile",
  ),
  receipt_p50: delivery(
    "receipt",
    0.5,
    "From a message's commit until a reader's answer was back, with the network there and back: " +
      "median of samples",
  ),
  receipt_p95: delivery(
    "receipt",
    0.95,
    "From a message's commit until a reader's answer was back, with the network there and back: " +
      "95th percentile of samples",
  ),
  receipt_p99: delivery(
    "receipt",
    0.99,
    "From a message's commit until a reader's answer was back, with the network there and back: " +
      "99th percentile of samples",
  ),
  error_rate: {
    family: "performance",
    unit: "share",
    about: "Connections that did not end normally, of those that ended",
    source: { kind: "ratio", of: "abnormal_closes", per: "closes" },
    dimensions: NONE,
    admin: true,
  },
  reconnect_rate: {
    family: "performance",
    unit: "share",
    about: "Joins of a conversation by clients that had been away, of all joins",
    source: { kind: "ratio", of: "rejoins", per: "joins" },
    dimensions: NONE,
    admin: true,
  },
};

export type Viewer = "admin" | "agent";

export function maySeeMetric(viewer: Viewer, name: MetricName): boolean {
  return viewer === "admin" || DEFINITIONS[name].admin !== true;
}

export function metricsFor(viewer: Viewer, family?: MetricFamily): MetricName[] {
  return METRICS.filter((name) =>
    maySeeMetric(viewer, name) && (family === undefined || DEFINITIONS[name].family === family)
  );
}

export function isFamily(name: string): name is MetricFamily {
  return (FAMILIES as readonly string[]).includes(name);
}

/**
 * Checks names of metrics and families, and removes repeated ones.
 *
 * @throws {ParleyError} `not_found`, with the list of names that exist; `forbidden`.
 */
export function checkFollowed(names: readonly string[], viewer: Viewer): FollowedMetric[] {
  const known: readonly string[] = [...FAMILIES, ...metricsFor(viewer)];
  for (const [index, name] of names.entries()) {
    if (known.includes(name)) continue;
    if ((METRICS as readonly string[]).includes(name)) throw forbiddenMetric(name);
    throw unknownMetric(name, known, `metrics.${index}`);
  }
  return [...new Set(names)] as FollowedMetric[];
}

/** @throws {ParleyError} `not_found`, `forbidden`; `invalid` for one that has no history. */
export function checkMetric(name: string, viewer: Viewer): MetricName {
  const known = metricsFor(viewer);
  if (!(METRICS as readonly string[]).includes(name)) throw unknownMetric(name, known, "metric");
  if (!maySeeMetric(viewer, name as MetricName)) throw forbiddenMetric(name);
  return name as MetricName;
}

function unknownMetric(name: string, known: readonly string[], path: string): ParleyError {
  const message = `Cannot find the metric "${name}": there are ${known.join(", ")}`;
  return new ParleyError("not_found", message, { fields: [{ path, message }] });
}

function forbiddenMetric(name: string): ParleyError {
  return new ParleyError("forbidden", `Cannot show "${name}": only admins may see it`);
}

export function hasHistory({ source }: MetricDefinition): boolean {
  return source.kind !== "gauge" && source.kind !== "state";
}

export function describe(name: MetricName): MetricDescription {
  const definition = DEFINITIONS[name];
  const { family, unit, about, dimensions, drillDown } = definition;
  return {
    name,
    family,
    unit,
    about,
    history: hasHistory(definition),
    dimensions: [...dimensions],
    conversations: drillDown !== undefined,
  };
}
