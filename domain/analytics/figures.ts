/** Computes a metric for a range, a slot or a part from the sums of its points. */
import { sql } from "kysely";
import type { Db } from "../../db/database.ts";
import type { MetricDimension } from "../../protocol/analytics.ts";
import { isCurrent, joinCurrent, keyOfCurrent, sumFactsBy } from "./label_figures.ts";
import type { Resolution } from "./calendar.ts";
import { quantile } from "./histogram.ts";
import { type Sum, sumPoints, type TimeSlots, timeSlotsOf } from "./points.ts";
import type { MetricSource, PointMetric } from "./registry.ts";

export interface FigureQuery extends TimeSlots {
  dimension: "all" | MetricDimension;
  resolution: Resolution;
}

/** The sums that a metric of this source is computed from, by slot and part. */
export async function sumsOf(db: Db, source: MetricSource, query: FigureQuery): Promise<Sum[]> {
  const { dimension } = query;
  const metrics = pointsOf(source);
  if (source.kind === "rating") return await sumRatings(db, query);
  if (isCurrent(dimension)) return await sumFactsBy(db, dimension, metrics, query);
  return await sumPoints(db, { ...query, dimension, metrics });
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

/** @returns null where nothing was counted. */
export function figureOf(source: MetricSource, sums: Iterable<Sum>): number | null {
  switch (source.kind) {
    case "sum":
    case "messages":
      return total(sums, source.of);
    case "quantile": {
      const counts = new Map<number, number>();
      for (const { metric, histogram } of sums) {
        if (metric !== source.of) continue;
        for (const [bucket, n] of histogram ?? []) {
          counts.set(bucket, (counts.get(bucket) ?? 0) + n);
        }
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

/** Ratings are few, and visitors change them, so they have no points and are read directly. */
async function sumRatings(db: Db, query: FigureQuery): Promise<Sum[]> {
  const { dimension } = query;
  const { slot, from, to } = timeSlotsOf(query, "r.created_at");
  const key = {
    all: sql`''`,
    agent: sql`r.agent_id::text`,
    channel: sql`r.channel`,
    label: keyOfCurrent("label"),
    team: keyOfCurrent("team"),
  }[dimension];
  const { rows } = await sql<{ key: string; slot: number; sum: number; count: number }>`
    select key, slot, sum(rating)::int as sum, count(*)::int as count from (
      select ${key} as key, r.rating, ${slot} as slot
      from conversation_ratings r ${isCurrent(dimension) ? joinCurrent("r", dimension) : sql``}
      where r.created_at >= ${from} and r.created_at < ${to}
    ) ratings where key is not null group by key, slot`.execute(db);
  return rows.flatMap(({ key, slot, sum, count }) => [
    { metric: "rating_sum", key, slot, value: sum, histogram: null },
    { metric: "rating_count", key, slot, value: count, histogram: null },
  ]);
}
