/** What has been counted, added up in minutes, quarters of an hour, hours and days of UTC. */
import { sql } from "kysely";
import type { Db } from "../../db/database.ts";
import type { MetricDimension } from "../../protocol/analytics.ts";
import { type Resolution, RESOLUTION_MS, RESOLUTIONS } from "./calendar.ts";
import type { PointMetric } from "./registry.ts";

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
  only?: { dimension: "all" | MetricDimension; key: string };
}

interface Point {
  metric: string;
  dimension: "all" | MetricDimension;
  key: string;
  resolution: Resolution;
  at: string;
  bucket: number;
  value: number;
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
  for (const { metric, at, bucket = 0, value, agent, channel, only } of counts) {
    const dimensions: [Point["dimension"], string][] = only === undefined
      ? [["all", ""]]
      : [[only.dimension, only.key]];
    if (agent) dimensions.push(["agent", agent]);
    if (channel) dimensions.push(["channel", channel]);
    for (const resolution of RESOLUTIONS) {
      const start = Math.floor(at / RESOLUTION_MS[resolution]) * RESOLUTION_MS[resolution];
      if (start < keptFrom(resolution, retention, now)) continue;
      for (const [dimension, key] of dimensions) {
        const name = JSON.stringify([metric, resolution, dimension, start, key, bucket]);
        const known = points.get(name);
        if (known !== undefined) known.value += value;
        else {
          const iso = new Date(start).toISOString();
          points.set(name, { metric, dimension, key, resolution, at: iso, bucket, value });
        }
      }
    }
  }
  const rows = [...points].filter(([, { value }]) => value !== 0)
    .sort(([a], [b]) => a < b ? -1 : 1).map(([, point]) => point);
  for (let start = 0; start < rows.length; start += CHUNK) {
    const json = JSON.stringify(rows.slice(start, start + CHUNK));
    await sql`insert into metric_points as p
        (metric, dimension, key, resolution, at, bucket, value)
      select metric, dimension, key, resolution, at, bucket, value
      from jsonb_to_recordset(${json}::jsonb) as x (metric text, dimension text, key text,
        resolution text, at timestamptz, bucket smallint, value double precision)
      on conflict (metric, resolution, dimension, at, key, bucket)
        do update set value = p.value + excluded.value`.execute(trx);
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
  bucket: number;
  value: number;
}

/** Sums between boundaries, which lie on the resolution. Grouped by numbers first: they sort faster. */
export async function sumPoints(db: Db, query: {
  metrics: readonly PointMetric[];
  dimension: "all" | MetricDimension;
  key?: string | undefined;
  resolution: Resolution;
  boundaries: readonly number[];
}): Promise<PointSum[]> {
  const { metrics, dimension, key, resolution, boundaries } = query;
  const times = boundaries.map((at) => new Date(at).toISOString());
  const slots = sql`array[${sql.join(times)}]::timestamptz[]`;
  const one = key === undefined ? sql`` : sql`and key = ${key}`;
  const { rows } = await sql<PointSum>`
    select metric, key, slot, bucket, sum(value) as value from (
      select metric, key, bucket, value,
        width_bucket(at, ${slots}) - 1 as slot
      from metric_points
      where metric = any(array[${sql.join(metrics)}]::text[]) and resolution = ${resolution}
        and dimension = ${dimension} ${one}
        and at >= ${times[0]}::timestamptz and at < ${times.at(-1)}::timestamptz
    ) points group by slot, bucket, key, metric`.execute(db);
  return rows;
}
