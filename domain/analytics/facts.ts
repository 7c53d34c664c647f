/** Facts: single events that metrics count, found in the raw rows and stored once each. */
import { sql } from "kysely";
import type { Db } from "../../db/database.ts";
import type { BusinessHours } from "../../protocol/analytics.ts";
import { openSeconds } from "./business_hours.ts";
import {
  findResolutions,
  findResponses,
  findSessions,
  findStarts,
  findWriters,
  type Found,
  type Range,
} from "./find_facts.ts";
import { bucketOf } from "./histogram.ts";
import type { Count } from "./points.ts";
import type { FactKind, PointMetric } from "./registry.ts";

/** A row of `metric_facts`. */
export interface Fact {
  kind: FactKind;
  subject: string;
  seq: number;
  at: Date;
  conversation_id: string | null;
  agent_id: string | null;
  channel: string | null;
  seconds: number | null;
  open_seconds: number | null;
  bucket: number | null;
  amount: number | null;
}

export function toFact(kind: FactKind, found: Found, hours: BusinessHours): Fact {
  const { since, special, messages, ...rest } = found;
  const at = found.at.getTime();
  const seconds = since === null ? null : (at - since.getTime()) / 1000;
  const open_seconds = since === null ? null : openSeconds(since.getTime(), at, hours);
  const bucket = open_seconds === null ? null : bucketOf(open_seconds);
  const amount = kind === "resolution" ? messages : kind === "started" ? Number(special) : null;
  return { kind, ...rest, seconds, open_seconds, bucket, amount };
}

/** Facts of one kind, and what they add to the points. */
export interface Finding {
  kind: FactKind;
  found: Found[];
  /** What a new fact counts. */
  of: (fact: Fact) => Count[];
}

export async function findFacts(trx: Db, range: Range): Promise<Finding[]> {
  const count = (metric: PointMetric, fact: Fact, value = 1): Count => ({
    metric,
    at: fact.at.getTime(),
    value,
    agent: fact.agent_id,
    channel: fact.channel,
  });
  const time = (metric: PointMetric, fact: Fact): Count => ({
    ...count(metric, fact),
    bucket: fact.bucket ?? 0,
  });
  const responses = await findResponses(trx, range);
  return [
    {
      kind: "session",
      found: await findSessions(trx, range),
      of: (fact) => [count("sessions", fact)],
    },
    { kind: "wrote", found: await findWriters(trx, range), of: (fact) => [count("wrote", fact)] },
    {
      kind: "started",
      found: await findStarts(trx, range),
      of: (fact) => [count("started", fact), count("returning", fact, fact.amount ?? 0)],
    },
    { kind: "response", found: responses, of: (fact) => [time("response", fact)] },
    {
      kind: "first_response",
      found: responses.filter(({ special }) => special),
      of: (fact) => [time("first_response", fact)],
    },
    {
      kind: "resolution",
      found: await findResolutions(trx, range),
      of: (fact) => [
        time("resolution", fact),
        count("resolved", fact),
        count("resolved_messages", fact, fact.amount ?? 0),
      ],
    },
  ];
}

/** Rows of one statement. */
const CHUNK = 5000;

/**
 * Stores new facts, except those of conversations that somebody has just deleted.
 *
 * @returns those that were new, as "subject seq".
 */
export async function insertFacts(trx: Db, facts: readonly Fact[]): Promise<Set<string>> {
  const inserted = new Set<string>();
  for (let start = 0; start < facts.length; start += CHUNK) {
    const json = JSON.stringify(facts.slice(start, start + CHUNK));
    const { rows } = await sql<{ subject: string; seq: number }>`
      insert into metric_facts
      select f.* from jsonb_populate_recordset(null::metric_facts, ${json}::jsonb) f
      where f.conversation_id is null or exists (
        select from conversations c where c.id = f.conversation_id for key share)
      on conflict do nothing returning subject, seq`.execute(trx);
    for (const { subject, seq } of rows) inserted.add(`${subject} ${seq}`);
  }
  return inserted;
}
