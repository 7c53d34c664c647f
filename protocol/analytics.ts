/**
 * Metrics, as clients follow them and as HTTP answers them. docs/protocols/native.md describes them.
 */
import { z } from "zod";
import { Cursor, Id, queryInteger } from "./model.ts";
import { isVisible } from "./visible_text.ts";

export const FAMILIES = ["activity", "engagement", "performance"] as const;
export type MetricFamily = (typeof FAMILIES)[number];

/** In the order in which they are shown. */
export const METRICS = [
  "visitors_online",
  "agents_online",
  "typing_now",
  "connections",
  "conversations_open",
  "conversations_waiting",
  "conversations_bot",
  "messages_in",
  "messages_out",
  "conversations_started",
  "conversations_resolved",
  "writing_share",
  "returning_share",
  "messages_per_conversation",
  "satisfaction",
  "first_response_median",
  "first_response_p90",
  "response_median",
  "response_p90",
  "resolution_median",
  "resolution_p90",
  "delivery_p50",
  "delivery_p95",
  "delivery_p99",
  "receipt_p50",
  "receipt_p95",
  "receipt_p99",
  "error_rate",
  "reconnect_rate",
] as const;
export type MetricName = (typeof METRICS)[number];
/** A metric, or a family, whose value holds those of all its metrics. */
export type FollowedMetric = MetricName | MetricFamily;

export type MetricUnit = "count" | "share" | "score" | "seconds" | "milliseconds";

/** null: nothing that it could be computed from has happened. */
export type MetricValue = number | null | { [metric: string]: number | null };

export interface MetricUpdate {
  metric: string;
  value: MetricValue;
  timestamp: string;
  /** Of messages: the same by channel. */
  byChannel?: Record<string, number>;
}

/** Longest list of one command; names may repeat. */
const MetricList = z.array(z.string().max(64)).min(1).max(50);

export const SubscribeMetrics = z.strictObject({ metrics: MetricList });
export type SubscribeMetrics = z.infer<typeof SubscribeMetrics>;
/** Without a list: all of them. */
export const UnsubscribeMetrics = z.strictObject({ metrics: MetricList.optional() });

/** The first schema for an object with `metrics`, the second for everything else. */
export function metricsOr<A extends z.ZodType, B extends z.ZodType>(metrics: A, other: B) {
  return z.unknown().transform((value, context): z.output<A> | z.output<B> => {
    const named = typeof value === "object" && value !== null && "metrics" in value;
    const parsed = (named ? metrics : other).safeParse(value);
    if (parsed.success) return parsed.data as z.output<A> | z.output<B>;
    for (const issue of parsed.error.issues) {
      context.issues.push({ ...issue, input: value } as typeof context.issues[number]);
    }
    return z.NEVER;
  });
}

export interface SubscribedMetrics {
  /** Whose values follow, each once. */
  metrics: string[];
}

export const DIMENSIONS = ["agent", "team", "channel", "label"] as const;
export type MetricDimension = (typeof DIMENSIONS)[number];
export const INTERVALS = ["hour", "day", "week", "month"] as const;
export type MetricInterval = (typeof INTERVALS)[number];

/** Most buckets of one answer. */
export const MAX_BUCKETS = 1000;
/** Largest number of values in the parts of one response: buckets times parts. */
export const MAX_CELLS = 50_000;

const Value = z.number().nullable();
const MetricNameSchema = z.enum(METRICS);
const UnitSchema = z.enum(["count", "share", "score", "seconds", "milliseconds"]);

export const MetricDescription = z.object({
  name: MetricNameSchema,
  family: z.enum(FAMILIES),
  unit: UnitSchema,
  about: z.string(),
  /** Whether there is a history of it. */
  history: z.boolean(),
  dimensions: z.array(z.enum(DIMENSIONS)),
  /** Whether `GET /api/analytics/conversations` can list its conversations. */
  conversations: z.boolean(),
});
export type MetricDescription = z.infer<typeof MetricDescription>;

/** The range of years. */
const YEARS = [1900, 2200] as const;
/** Seconds may be left out: ranges begin and end at whole minutes. */
const Instant = z.union(
  [z.iso.datetime({ offset: true }), z.iso.datetime({ offset: true, precision: -1 })],
  "must be a time such as 2026-11-21T00:00:00Z",
).transform((text) => new Date(text)).refine((at) => {
  const year = at.getUTCFullYear();
  return year >= YEARS[0] && year < YEARS[1];
}, `must be between ${YEARS.join(" and ")}`);
const timeZone = z.string().max(64).refine((zone) => {
  try {
    new Intl.DateTimeFormat("en", { timeZone: zone });
    return true;
  } catch {
    return false;
  }
}, "must be a time zone such as Europe/Berlin");

const range = { from: Instant, to: Instant };
const ordered = ({ from, to }: { from: Date; to: Date }) => from < to;
const ORDER = { path: ["to"], message: "must be after from" };

export const AnalyticsQuery = z.strictObject({
  metrics: z.string().max(1000).optional(),
});

export const SeriesQuery = z.strictObject({
  metric: z.string().max(64),
  ...range,
  timeZone: timeZone.default("UTC"),
  interval: z.enum(INTERVALS).default("day"),
  by: z.enum(DIMENSIONS).optional(),
  compare: z.enum(["previous"]).optional(),
  format: z.enum(["json", "csv"]).default("json"),
}).refine(ordered, ORDER);
export type SeriesQuery = z.output<typeof SeriesQuery>;

export const HeatMapQuery = z.strictObject({
  metric: z.string().max(64),
  ...range,
  timeZone: timeZone.default("UTC"),
}).refine(ordered, ORDER);

export const DrillDownQuery = z.strictObject({
  metric: z.string().max(64),
  ...range,
  by: z.enum(DIMENSIONS).optional(),
  /** Empty: conversations without a label. */
  key: z.string().max(100).regex(/^\P{Cc}*$/u, "must not have control characters").optional(),
  limit: z.string().regex(/^\d{1,3}$/).transform(Number).pipe(z.number().min(1).max(100))
    .default(50),
}).refine(ordered, ORDER)
  .refine(({ by, key }) => (by === undefined) === (key === undefined), {
    path: ["key"],
    message: "must be given with by, and only then",
  });
export type DrillDownQuery = z.output<typeof DrillDownQuery>;

/** The columns of a table by agent, team, channel or label, in their order. */
export const BREAKDOWN_METRICS = [
  "conversations_started",
  "conversations_resolved",
  "first_response_median",
  "resolution_median",
  "satisfaction",
] as const satisfies MetricName[];

export const BreakdownQuery = z.strictObject({
  by: z.enum(DIMENSIONS),
  ...range,
  timeZone: timeZone.default("UTC"),
  format: z.enum(["json", "csv"]).default("json"),
}).refine(ordered, ORDER);
export type BreakdownQuery = z.output<typeof BreakdownQuery>;

/** Columns are the metrics that are counted in this way; null: nothing happened. */
export const Breakdown = z.object({
  by: z.enum(DIMENSIONS),
  columns: z.array(z.object({ metric: MetricNameSchema, unit: UnitSchema })),
  rows: z.array(z.object({
    /** '' for conversations without a team or label. */
    key: z.string(),
    name: z.string(),
    values: z.array(Value),
  })),
});
export type Breakdown = z.infer<typeof Breakdown>;

export const AnalyticsResponse = z.object({
  timestamp: z.string(),
  metrics: z.array(MetricDescription),
  values: z.record(z.string(), Value),
  byChannel: z.record(z.string(), z.record(z.string(), z.number())),
});
export type AnalyticsResponse = z.infer<typeof AnalyticsResponse>;

const Bucket = z.object({ start: z.string(), end: z.string(), value: Value });
const Line = z.object({ total: Value, buckets: z.array(Bucket) });
export const SeriesResponse = z.object({
  metric: MetricNameSchema,
  unit: UnitSchema,
  timeZone: z.string(),
  interval: z.enum(INTERVALS),
  total: Value,
  buckets: z.array(Bucket),
  /** The period before, as long as this one by the calendar. */
  previous: Line.nullable(),
  /** With `by`: the same for each part, largest first; key '' for no team or label. */
  parts: z.array(z.object({ key: z.string(), name: z.string(), ...Line.shape })),
});
export type SeriesResponse = z.infer<typeof SeriesResponse>;

export const HeatMapResponse = z.object({
  metric: MetricNameSchema,
  unit: UnitSchema,
  timeZone: z.string(),
  /** Monday to Sunday, each of 24 hours of that time zone. */
  days: z.array(z.array(Value)),
});
export type HeatMapResponse = z.infer<typeof HeatMapResponse>;

export const DrillDown = z.object({
  items: z.array(z.object({
    conversationId: z.string(),
    contactName: z.string(),
    status: z.string(),
    /** Of this conversation within the range, in the metric's unit; null where it has none. */
    value: Value,
    at: z.string(),
    /** Of ratings: the comment of the last one; null for other metrics. */
    comment: z.string().nullable(),
  })),
});
export type DrillDown = z.infer<typeof DrillDown>;

const Clock = z.string().regex(
  /^(?:[01]\d|2[0-3]):[0-5]\d$|^24:00$/,
  { abort: true, message: "must be a time such as 09:00" },
);
const Open = z.strictObject({ from: Clock, to: Clock })
  .refine(({ from, to }) => from < to, { path: ["to"], message: "must be after from" });

/** Most intervals of one day. */
export const MAX_INTERVALS = 6;

/** In their order, and none within another. */
const OpenDay = z.array(Open).max(MAX_INTERVALS).superRefine((day, context) => {
  const order = day.map((one, index) => ({ ...one, index })).sort(byBegin);
  for (const [at, { from, index }] of order.entries()) {
    const before = order[at - 1];
    if (before === undefined || from >= before.to) continue;
    const message = `must not begin before ${before.to}, when another interval ends`;
    context.addIssue({ code: "custom", path: [index, "from"], message });
  }
}).transform((day) => day.toSorted(byBegin));

function byBegin(a: { from: string }, b: { from: string }): number {
  return a.from < b.from ? -1 : 1;
}

/** When agents are there to answer; null: always. */
export const BusinessHours = z.strictObject({
  timeZone,
  /** Monday to Sunday; an empty list: closed on that day. One interval or null is taken, too. */
  days: z.array(z.preprocess(
    (day) => day === null ? [] : Array.isArray(day) ? day : [day],
    OpenDay,
  )).length(7)
    .refine((days) => days.some((day) => day.length > 0), "must have a day that is open"),
}).nullable();
export type BusinessHours = z.infer<typeof BusinessHours>;

export const BusinessHoursBody = z.strictObject({ businessHours: BusinessHours });

export const MAX_RATING_COMMENT = 2000;
export const RatingBody = z.strictObject({
  rating: z.number().int().min(1).max(5),
  comment: z.string().max(MAX_RATING_COMMENT).transform((text) =>
    isVisible(text) ? text.toWellFormed().trim() : ""
  )
    .optional(),
});
export const RatingResponse = z.object({
  rating: z.number(),
  comment: z.string(),
  createdAt: z.string(),
});
export type RatingResponse = z.infer<typeof RatingResponse>;

export const RatingQuery = z.strictObject({
  conversationId: Id.optional(),
  from: Instant.optional(),
  to: Instant.optional(),
  cursor: Cursor.optional(),
  limit: queryInteger(1, 100).optional(),
  /** Of the times in a table. */
  timeZone: timeZone.default("UTC"),
  format: z.enum(["json", "csv"]).default("json"),
});
export type RatingQuery = z.output<typeof RatingQuery>;

export const Rating = z.object({
  conversationId: z.string(),
  /** The event that resolved the conversation before. */
  seq: z.number().int(),
  contactName: z.string(),
  /** Who wrote last before it; null for callers who are no admins. */
  agentName: z.string().nullable(),
  rating: z.number().int(),
  /** Empty without one. */
  comment: z.string(),
  createdAt: z.string(),
});
export type Rating = z.infer<typeof Rating>;
/** Newest first. */
export const RatingList = z.object({ items: z.array(Rating), nextCursor: z.string().nullable() });
export type RatingList = z.infer<typeof RatingList>;
