/** What has been counted, added up in minutes, quarters of an hour, hours and days of UTC. */
import { type RawBuilder, sql } from "kysely";
import type { Db } from "../../db/database.ts";
import type { MetricDimension } from "../../protocol/analytics.ts";
import { type Resolution, RESOLUTION_MS, RESOLUTIONS } from "./calendar.ts";
import { readHistograms } from "./histogram.ts";
import { withMemory } from "./memory.ts";
import type { PointMetric } from "./registry.ts";

/** What points are kept by. Labels change, so what is by label is read from the facts. */
export type PointDimension = "all" | Exclude<MetricDimension, "label">;

export interface Count {
  metric: PointMetric;
  /** When it happened, in milliseconds since the epoch. */
  at: number;
  /** Of a histogram: which bucket. */
  bucket?: number;
  /** How many more; may be fewer. */
  value: number;
  /** Besides for all. */
  agent?: string | null;
  channel?: string | null;
  /** Instead of all that: for this one alone. */
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
 * Adds to the points of each resolution and dimension. In the order of their keys, so that two
 * nodes cannot deadlock. What would be forgotten at once is left out.
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
  /** Days for which minutes are kept; hours, with their quarters and facts; and days. */
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

/** Forgets what is older than its time. */
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
  /** How many are in which bucket. */
  histogram: ReadonlyMap<number, number> | null;
}

/** Stretches of time, by the boundaries between them. */
export interface Slots {
  boundaries: readonly number[];
  /** Which slot each stretch belongs to; without it, each is one of its own, from 0. */
  slotOf?: readonly number[];
}

/** The slot of an instant, and the first and the last boundary. */
export function slotsOf(
  { boundaries, slotOf }: Slots,
  at: string,
): { slot: RawBuilder<unknown>; from: string; to: string } {
  const times = boundaries.map((time) => new Date(time).toISOString());
  // One parameter, however many there are.
  const stretch = sql`width_bucket(${sql.ref(at)}, ${`{${times.join(",")}}`}::timestamptz[])`;
  const slot = slotOf === undefined
    ? sql`${stretch} - 1`
    : sql`(${`{${slotOf.join(",")}}`}::int[])[${stretch}]`;
  return { slot, from: times[0]!, to: times.at(-1)! };
}

/** Sums between boundaries, which lie on the resolution. Histograms are added up here. */
export async function sumPoints(
  db: Db,
  query: Slots & {
    metrics: readonly PointMetric[];
    dimension: PointDimension;
    resolution: Resolution;
  },
): Promise<PointSum[]> {
  const { metrics, dimension, resolution } = query;
  const { slot, from, to } = slotsOf(query, "at");
  const { rows } = await withMemory(
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
