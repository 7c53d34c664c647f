/** Points: sums by minute, quarter of an hour, hour and day of UTC. */
import { type RawBuilder, sql } from "kysely";
import type { Db } from "../../db/database.ts";
import type { MetricDimension } from "../../protocol/analytics.ts";
import { type Resolution, RESOLUTION_MS, RESOLUTIONS } from "./calendar.ts";
import { readHistograms } from "./histogram.ts";
import { withWorkMem } from "./work_mem.ts";
import type { PointMetric } from "./registry.ts";

/** Dimensions of points. Labels can change, so figures by label are computed from the facts. */
export type PointDimension = "all" | Exclude<MetricDimension, "label">;

export interface Count {
  metric: PointMetric;
  /** When it happened, in milliseconds since the epoch. */
  at: number;
  /** The bucket of a histogram. */
  bucket?: number;
  /** What is added; may be negative. */
  value: number;
  /** Also counted for this agent and this channel. */
  agent?: string | null;
  channel?: string | null;
  /** Counted for this key alone, and not for all. */
  only?: { dimension: PointDimension; key: string };
}

interface Point {
  metric: string;
  dimension: PointDimension;
  key: string;
  resolution: Resolution;
  at: string;
  value: number;
  histogram: Record<number, number> | null;
}

/** Rows of one statement. */
const CHUNK = 5000;

/**
 * Adds to the points of each resolution and dimension, in the order of their keys, so that two nodes
 * cannot deadlock. Points that are past the retention are left out.
 */
export async function addPoints(
  trx: Db,
  counts: readonly Count[],
  retention: Retention,
  now: number,
): Promise<void> {
  const points = new Map<string, Point>();
  for (const { metric, at, bucket, value, agent, channel, only } of counts) {
    const dimensions: [Point["dimension"], string][] = only === undefined
      ? [["all", ""]]
      : [[only.dimension, only.key]];
    if (agent) dimensions.push(["agent", agent]);
    if (channel) dimensions.push(["channel", channel]);
    for (const resolution of RESOLUTIONS) {
      const start = Math.floor(at / RESOLUTION_MS[resolution]) * RESOLUTION_MS[resolution];
      if (start < keptFrom(resolution, retention, now)) continue;
      for (const [dimension, key] of dimensions) {
        const name = JSON.stringify([metric, resolution, dimension, start, key]);
        let point = points.get(name);
        if (point === undefined) {
          const iso = new Date(start).toISOString();
          point = { metric, dimension, key, resolution, at: iso, value: 0, histogram: null };
          points.set(name, point);
        }
        point.value += value;
        if (bucket === undefined) continue;
        point.histogram ??= {};
        point.histogram[bucket] = (point.histogram[bucket] ?? 0) + value;
      }
    }
  }
  const rows = [...points].filter(([, { value }]) => value !== 0)
    .sort(([a], [b]) => a < b ? -1 : 1).map(([, point]) => point);
  for (let start = 0; start < rows.length; start += CHUNK) {
    const json = JSON.stringify(rows.slice(start, start + CHUNK));
    await sql`insert into metric_points as p
        (metric, dimension, key, resolution, at, value, histogram)
      select metric, dimension, key, resolution, at, value, histogram
      from jsonb_to_recordset(${json}::jsonb) as x (metric text, dimension text, key text,
        resolution text, at timestamptz, value double precision, histogram jsonb)
      on conflict (metric, resolution, dimension, at, key) do update set
        value = p.value + excluded.value,
        histogram = case when p.histogram is null then excluded.histogram else (
          select jsonb_object_agg(bucket, n) from (
            select bucket, sum(n::double precision) as n from (
              select * from jsonb_each_text(p.histogram)
              union all select * from jsonb_each_text(excluded.histogram)
            ) both_of (bucket, n) group by bucket) sums) end`.execute(trx);
  }
}

export interface Retention {
  /** Days for which points of minutes, of hours (with quarters and facts), and of days are kept. */
  minutes: number;
  hours: number;
  days: number;
}

const DAY_MS = 86_400_000;

/** The first instant of which points of this resolution are kept. */
export function keptFrom(resolution: Resolution, retention: Retention, now: number): number {
  const days = resolution === "minute"
    ? retention.minutes
    : resolution === "day"
    ? retention.days
    : retention.hours;
  return now - days * DAY_MS;
}

/** Deletes points and facts that are past the retention. */
export async function forgetPoints(db: Db, retention: Retention, now: number): Promise<void> {
  for (const resolution of RESOLUTIONS) {
    const before = new Date(keptFrom(resolution, retention, now)).toISOString();
    await sql`delete from metric_points where resolution = ${resolution} and at < ${before}`
      .execute(db);
  }
  const before = new Date(keptFrom("hour", retention, now)).toISOString();
  await sql`delete from metric_facts where at < ${before}`.execute(db);
}

export interface PointSum {
  metric: PointMetric;
  key: string;
  /** Which of the slots between the boundaries, from 0. */
  slot: number;
  value: number;
  /** The count of each bucket. */
  histogram: ReadonlyMap<number, number> | null;
}

/** The same, also for what is summed without points, such as ratings. */
export type Sum = Omit<PointSum, "metric"> & { metric: string };

/** Stretches of time, by the boundaries between them. */
export interface TimeSlots {
  boundaries: readonly number[];
  /** The slot of each stretch; default: each stretch is a slot, numbered from 0. */
  slotOf?: readonly number[];
}

/** The slot of an instant, and the first and the last boundary. */
export function timeSlotsOf(
  { boundaries, slotOf }: TimeSlots,
  at: string,
): { slot: RawBuilder<unknown>; from: string; to: string } {
  const times = boundaries.map((time) => new Date(time).toISOString());
  // One parameter for all boundaries.
  const stretch = sql`width_bucket(${sql.ref(at)}, ${`{${times.join(",")}}`}::timestamptz[])`;
  const slot = slotOf === undefined
    ? sql`${stretch} - 1`
    : sql`(${`{${slotOf.join(",")}}`}::int[])[${stretch}]`;
  return { slot, from: times[0]!, to: times.at(-1)! };
}

/** Sums between boundaries, which have to be multiples of the resolution. */
export async function sumPoints(
  db: Db,
  query: TimeSlots & {
    metrics: readonly PointMetric[];
    dimension: PointDimension;
    resolution: Resolution;
  },
): Promise<PointSum[]> {
  const { metrics, dimension, resolution } = query;
  const { slot, from, to } = timeSlotsOf(query, "at");
  const { rows } = await withWorkMem(
    db,
    (trx) =>
      sql<Omit<PointSum, "histogram"> & { histograms: string | null }>`
    select metric, key, slot, sum(value) as value, string_agg(histogram::text, ',') as histograms
    from (
      select metric, key, value, histogram, ${slot} as slot
      from metric_points
      where metric = any(array[${sql.join(metrics)}]::text[]) and resolution = ${resolution}
        and dimension = ${dimension} and at >= ${from} and at < ${to}
    ) points group by slot, key, metric`.execute(trx),
  );
  return rows.map(({ histograms, ...sum }) => ({
    ...sum,
    histogram: histograms === null ? null : readHistograms(histograms),
  }));
}
