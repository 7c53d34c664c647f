/**
 * Figures by label and by team are computed from the facts, with the current labels and the current
 * team of their conversations: a label that is set later counts for earlier facts, too. A
 * conversation with two labels counts for both, one without any for the empty key.
 */
import { type RawBuilder, sql } from "kysely";
import type { Db } from "../../db/database.ts";
import { countBuckets } from "./histogram.ts";
import { withWorkMem } from "./work_mem.ts";
import { type Sum, type TimeSlots, timeSlotsOf } from "./points.ts";
import type { FactKind, PointMetric } from "./registry.ts";

/** Which facts a metric is made of, and what each of them adds to it. */
const FACTS: Partial<Record<PointMetric, { kind: FactKind; of: "one" | "amount" | "time" }>> = {
  started: { kind: "started", of: "one" },
  returning: { kind: "started", of: "amount" },
  resolved: { kind: "resolution", of: "one" },
  resolved_messages: { kind: "resolution", of: "amount" },
  first_response: { kind: "first_response", of: "time" },
  response: { kind: "response", of: "time" },
  resolution: { kind: "resolution", of: "time" },
};

/** Dimensions that are those of the conversations now. */
export type CurrentDimension = "label" | "team";

export const isCurrent = (dimension: string): dimension is CurrentDimension =>
  dimension === "label" || dimension === "team";

const COLUMN = { label: sql.ref("cl.label_id"), team: sql.ref("ct.team_id") };

/** A label, or the team, of `of`; '' where it has none. */
export const keyOfCurrent = (dimension: CurrentDimension) =>
  sql`coalesce(${COLUMN[dimension]}::text, '')`;

export function joinCurrent(of: string, dimension: CurrentDimension): RawBuilder<unknown> {
  const id = sql.ref(`${of}.conversation_id`);
  return dimension === "label"
    ? sql`left join conversation_labels cl on cl.conversation_id = ${id}`
    : sql`left join conversations ct on ct.id = ${id}`;
}

/** Sums between boundaries, in the form of sums of points. */
export async function sumFactsBy(
  db: Db,
  dimension: CurrentDimension,
  metrics: readonly PointMetric[],
  slots: TimeSlots,
): Promise<Sum[]> {
  const made = metrics.flatMap((metric) => {
    const facts = FACTS[metric];
    return facts === undefined ? [] : [{ metric, ...facts }];
  });
  const sums: Sum[] = [];
  for (const kind of new Set(made.map((one) => one.kind))) {
    const timed = made.some((one) => one.kind === kind && one.of === "time");
    const rows = await sumKind(db, dimension, kind, timed, slots);
    for (const { metric, of } of made.filter((one) => one.kind === kind)) {
      for (const { key, slot, n, amount, buckets } of rows) {
        const histogram = of === "time" ? countBuckets(buckets!) : null;
        sums.push({ metric, key, slot, value: of === "amount" ? amount : n, histogram });
      }
    }
  }
  return sums;
}

interface KindSum {
  key: string;
  slot: number;
  n: number;
  amount: number;
  /** For times: the bucket of each fact, as "12,14,12". */
  buckets: string | null;
}

async function sumKind(
  db: Db,
  dimension: CurrentDimension,
  kind: FactKind,
  timed: boolean,
  slots: TimeSlots,
): Promise<KindSum[]> {
  const { slot, from, to } = timeSlotsOf(slots, "f.at");
  // One string instead of a row for each bucket, which would be many rows.
  const buckets = timed ? sql`array_to_string(array_agg(f.bucket), ',')` : sql`null`;
  const { rows } = await withWorkMem(db, (trx) =>
    sql<KindSum>`
      select ${keyOfCurrent(dimension)} as key, ${slot} as slot, count(*)::int as n,
        coalesce(sum(f.amount), 0)::int as amount, ${buckets} as buckets
      from metric_facts f ${joinCurrent("f", dimension)}
      where f.kind = ${kind} and f.at >= ${from} and f.at < ${to}
        and f.conversation_id is not null
      group by ${COLUMN[dimension]}, slot`.execute(trx));
  return rows;
}
