/** What a metric is over a range, a slot or a part, from the sums of its points. */
import { sql } from "kysely";
import type { Db } from "../../db/database.ts";
import type { MetricDimension } from "../../protocol/analytics.ts";
import type { Resolution } from "./calendar.ts";
import { quantile } from "./histogram.ts";
import { type PointSum, sumPoints } from "./points.ts";
import type { MetricSource, PointMetric } from "./registry.ts";

export type Sum = Omit<PointSum, "metric"> & { metric: string };

export interface FigureQuery {
  dimension: "all" | MetricDimension;
  resolution: Resolution;
  boundaries: readonly number[];
}

/** The sums that a metric of this source is computed from, by slot and part. */
export async function sumsOf(db: Db, source: MetricSource, query: FigureQuery): Promise<Sum[]> {
  if (source.kind === "rating") return await sumRatings(db, query);
  return await sumPoints(db, { ...query, metrics: pointsOf(source) });
}

export function pointsOf(source: MetricSource): PointMetric[] {
  switch (source.kind) {
    case "sum":
    case "messages":
    case "quantile":
      return [source.of];
    case "ratio":
      return [source.of, source.per];
    default:
      return [];
  }
}

/** @returns null where there is nothing that it could be computed from. */
export function figureOf(source: MetricSource, sums: Iterable<Sum>): number | null {
  switch (source.kind) {
    case "sum":
    case "messages":
      return total(sums, source.of);
    case "quantile": {
      const counts = new Map<number, number>();
      for (const { metric, bucket, value } of sums) {
        if (metric === source.of) counts.set(bucket, (counts.get(bucket) ?? 0) + value);
      }
      return quantile(counts, source.q);
    }
    case "ratio":
      return share([...sums], source.of, source.per);
    case "rating":
      return share([...sums], "rating_sum", "rating_count");
    default:
      return null;
  }
}

function total(sums: Iterable<Sum>, of: string): number {
  let sum = 0;
  for (const { metric, value } of sums) if (metric === of) sum += value;
  return sum;
}

function share(sums: readonly Sum[], of: string, per: string): number | null {
  const count = total(sums, per);
  return count === 0 ? null : total(sums, of) / count;
}

/** Ratings are few, and visitors change them: they are counted where they stand. */
async function sumRatings(db: Db, { dimension, boundaries }: FigureQuery): Promise<Sum[]> {
  const times = boundaries.map((at) => new Date(at).toISOString());
  const slots = sql`array[${sql.join(times)}]::timestamptz[]`;
  const key = dimension === "agent"
    ? sql`agent_id::text`
    : dimension === "channel"
    ? sql`channel`
    : sql`''`;
  const { rows } = await sql<{ key: string; slot: number; sum: number; count: number }>`
    select key, slot, sum(rating)::int as sum, count(*)::int as count from (
      select ${key} as key, rating, width_bucket(created_at, ${slots}) - 1 as slot
      from conversation_ratings
      where created_at >= ${times[0]}::timestamptz and created_at < ${times.at(-1)}::timestamptz
    ) ratings where key is not null group by key, slot`.execute(db);
  return rows.flatMap(({ key, slot, sum, count }) => [
    { metric: "rating_sum", key, slot, bucket: 0, value: sum },
    { metric: "rating_count", key, slot, bucket: 0, value: count },
  ]);
}
