/**
 * Figures by label are computed from the facts, with the current labels of their conversations: a
 * label that is set later counts for earlier facts, too. A conversation with two labels counts for
 * both, one without any for the empty key.
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

/** A label of `of`, '' where it has none. */
export const KEY_OF_LABEL = sql`coalesce(cl.label_id::text, '')`;
export function joinLabels(of: string): RawBuilder<unknown> {
  return sql`left join conversation_labels cl
    on cl.conversation_id = ${sql.ref(`${of}.conversation_id`)}`;
}

/** Sums between boundaries, in the form of sums of points. */
export async function sumFactsByLabel(
  db: Db,
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
    const rows = await sumKind(db, kind, timed, slots);
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
  kind: FactKind,
  timed: boolean,
  slots: TimeSlots,
): Promise<KindSum[]> {
  const { slot, from, to } = timeSlotsOf(slots, "f.at");
  // One string instead of a row for each bucket, which would be many rows.
  const buckets = timed ? sql`array_to_string(array_agg(f.bucket), ',')` : sql`null`;
  const { rows } = await withWorkMem(db, (trx) =>
    sql<KindSum>`
      select ${KEY_OF_LABEL} as key, ${slot} as slot, count(*)::int as n,
        coalesce(sum(f.amount), 0)::int as amount, ${buckets} as buckets
      from metric_facts f ${joinLabels("f")}
      where f.kind = ${kind} and f.at >= ${from} and f.at < ${to}
        and f.conversation_id is not null
      group by cl.label_id, slot`.execute(trx));
  return rows;
}
