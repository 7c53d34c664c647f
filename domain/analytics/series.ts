/** Time series of a metric, by the calendar of a time zone. */
import type { Db } from "../../db/database.ts";
import {
  type Breakdown,
  BREAKDOWN_METRICS,
  type BreakdownQuery,
  type HeatMapResponse,
  MAX_BUCKETS,
  MAX_CELLS,
  type MetricDimension,
  type MetricName,
  type SeriesQuery,
  type SeriesResponse,
} from "../../protocol/analytics.ts";
import { ParleyError } from "../../protocol/errors.ts";
import { boundaries, localOf, rangeBefore, type Resolution, resolutionFor } from "./calendar.ts";
import { figureOf, sumsOf } from "./figures.ts";
import { isCurrent } from "./label_figures.ts";
import { keptFrom, type Retention, type Sum } from "./points.ts";
import { DEFINITIONS, hasHistory } from "./registry.ts";

export interface SeriesOptions {
  db: Db;
  retention: Retention;
  now: number;
}

const DAY = 86_400_000;

type Line = SeriesResponse["parts"][number];

/** @throws {ParleyError} `invalid` for a metric without history, and for a range that is not kept. */
export async function readSeries(
  options: SeriesOptions,
  metric: MetricName,
  query: Omit<SeriesQuery, "metric" | "format">,
): Promise<SeriesResponse> {
  const { timeZone, interval, by, compare } = query;
  const definition = DEFINITIONS[metric];
  if (!hasHistory(definition)) {
    throw refusal("metric", `"${metric}" is only known for this moment`);
  }
  if (by !== undefined && !definition.dimensions.includes(by)) {
    throw refusal("by", `"${metric}" is not counted by ${by}`);
  }
  const range = { from: query.from.getTime(), to: query.to.getTime() };
  const line = async (
    { from, to }: { from: number; to: number },
    dimension: "all" | MetricDimension,
  ): Promise<Line[]> => {
    const edges = boundaries(from, to, interval, timeZone, MAX_BUCKETS);
    if (edges === undefined) {
      throw refusal(
        "interval",
        `there are more than ${MAX_BUCKETS} of interval "${interval}" in the range`,
      );
    }
    const sums = await sumsOf(options.db, definition.source, {
      dimension,
      ...pointsWithin(edges, options, dimension),
    });
    if (dimension === "all") return [toLine(metric, "", sums, edges)];
    const parts = Map.groupBy(sums, ({ key }) => key);
    if (parts.size * (edges.length - 1) > MAX_CELLS) {
      throw refusal(
        "interval",
        `there are more than ${MAX_CELLS} values: ${
          edges.length - 1
        } of each of ${parts.size} parts`,
      );
    }
    return [...parts].map(([key, own]) => toLine(metric, key, own, edges));
  };
  const before = rangeBefore(range.from, range.to, timeZone);
  const [[whole], [previous = null], parts] = await Promise.all([
    line(range, "all"),
    compare === undefined ? [] : line(before, "all").catch(noneIfNotKept),
    by === undefined ? [] : line(range, by).then((lines) => nameParts(options.db, by, lines)),
  ]);
  return {
    metric,
    unit: definition.unit,
    timeZone,
    interval,
    total: whole!.total,
    buckets: whole!.buckets,
    previous: previous === null ? null : { total: previous.total, buckets: previous.buckets },
    parts: parts.sort((a, b) => (b.total ?? 0) - (a.total ?? 0)),
  };
}

function toLine(metric: MetricName, key: string, sums: Sum[], edges: readonly number[]): Line {
  const { source } = DEFINITIONS[metric];
  const slots = Map.groupBy(sums, ({ slot }) => slot);
  const iso = (at: number) => new Date(at).toISOString();
  return {
    key,
    name: key,
    total: figureOf(source, sums),
    buckets: edges.slice(0, -1).map((start, slot) => ({
      start: iso(start),
      end: iso(edges[slot + 1]!),
      value: figureOf(source, slots.get(slot) ?? []),
    })),
  };
}

async function nameParts(db: Db, by: MetricDimension, parts: Line[]): Promise<Line[]> {
  if (by === "channel" || parts.length === 0) return parts;
  const table = ({ agent: "users", team: "teams", label: "labels" } as const)[by];
  const rows = await db.selectFrom(table).select(["id", "name"]).execute();
  const names = new Map(rows.map(({ id, name }) => [id, name]));
  if (by !== "agent") names.set("", by === "label" ? "No label" : "No team");
  return parts.map((part) => ({ ...part, name: names.get(part.key) ?? part.key }));
}

/** The coarsest resolution whose points add up to these intervals. */
function pointsWithin(
  edges: readonly number[],
  { retention, now }: SeriesOptions,
  dimension: "all" | MetricDimension = "all",
): { resolution: Resolution; boundaries: readonly number[] } {
  const last = edges.at(-1)!;
  // The future has no points, so its end can be rounded.
  const boundaries = last > now ? edges.with(-1, Math.ceil(last / DAY) * DAY) : edges;
  const coarsest = resolutionFor(boundaries);
  if (coarsest === undefined) throw refusal("from", "it has to be a whole minute, as has the end");
  // Figures by label and team are computed from the facts, which are kept as long as hours.
  if (isCurrent(dimension) && edges[0]! < keptFrom("hour", retention, now)) {
    const since = new Date(keptFrom("hour", retention, now)).toISOString();
    throw refusal("from", `what is by ${dimension} is kept since ${since} only`);
  }
  if (edges[0]! < keptFrom(coarsest, retention, now)) {
    const since = new Date(keptFrom(coarsest, retention, now)).toISOString();
    const unit = coarsest === "quarter" ? "quarter of an hour" : coarsest;
    throw new NotKept(`what begins at any ${unit} is kept since ${since} only`);
  }
  return { resolution: coarsest, boundaries };
}

/** The begin of the range is no longer kept. */
class NotKept extends ParleyError {
  constructor(message: string) {
    super("invalid", sentence(message), { fields: [{ path: "from", message }] });
  }
}

/** The range itself is shown without the previous one. */
function noneIfNotKept(error: unknown): [] {
  if (error instanceof NotKept) return [];
  throw error;
}

/** Totals by agent, team, channel or label, the most resolved first, of the metrics of a table. */
export async function readBreakdown(
  options: SeriesOptions,
  { by, from, to, timeZone }: Omit<BreakdownQuery, "format">,
): Promise<Breakdown> {
  const metrics = BREAKDOWN_METRICS.filter((metric) => DEFINITIONS[metric].dimensions.includes(by));
  // A month is the longest interval: of each part only the total is read.
  const query = { by, from, to, timeZone, interval: "month" } as const;
  const all = await Promise.all(metrics.map((metric) => readSeries(options, metric, query)));
  const rows = new Map<string, Breakdown["rows"][number]>();
  for (const [column, series] of all.entries()) {
    for (const { key, name, total } of series.parts) {
      const row = rows.get(key) ?? { key, name, values: metrics.map(() => null) };
      row.values[column] = total;
      rows.set(key, row);
    }
  }
  const resolved = metrics.indexOf("conversations_resolved");
  const weight = ({ values }: Breakdown["rows"][number]) => values[resolved] ?? 0;
  return {
    by,
    columns: metrics.map((metric) => ({ metric, unit: DEFINITIONS[metric].unit })),
    rows: [...rows.values()].sort((a, b) =>
      weight(b) - weight(a) || a.name.localeCompare(b.name, "en")
    ),
  };
}

const MAX_HOURS = 24 * 366;

/** Sums by hour of the week, as clocks of the time zone show it. @throws {ParleyError} `invalid`. */
export async function readHeatMap(
  options: SeriesOptions,
  metric: MetricName,
  query: { from: Date; to: Date; timeZone: string },
): Promise<HeatMapResponse> {
  const { timeZone } = query;
  const { source, unit, ...definition } = DEFINITIONS[metric];
  if (!hasHistory({ source, unit, ...definition })) {
    throw refusal("metric", `"${metric}" is only known for this moment`);
  }
  const edges = boundaries(
    query.from.getTime(),
    query.to.getTime(),
    "hour",
    timeZone,
    MAX_HOURS,
  );
  if (edges === undefined) throw refusal("from", "a heat map is of one year at most");
  const sums = await sumsOf(options.db, source, {
    dimension: "all",
    ...pointsWithin(edges, options),
    slotOf: edges.slice(0, -1).map((edge) => hourOfWeek(edge, timeZone)),
  });
  const cells = Map.groupBy(sums, ({ slot }) => slot);
  const days = Array.from(
    { length: 7 },
    (_, day) =>
      Array.from({ length: 24 }, (_, hour) => figureOf(source, cells.get(day * 24 + hour) ?? [])),
  );
  return { metric, unit, timeZone, days };
}

/** 0 for Monday from midnight. */
function hourOfWeek(instant: number, timeZone: string): number {
  const local = localOf(instant, timeZone);
  const weekday = ((Math.floor(local / DAY) + 3) % 7 + 7) % 7;
  return weekday * 24 + new Date(local).getUTCHours();
}

function refusal(path: string, message: string): ParleyError {
  return new ParleyError("invalid", sentence(message), { fields: [{ path, message }] });
}

const sentence = (message: string) => `Cannot read figures: ${message}`;
