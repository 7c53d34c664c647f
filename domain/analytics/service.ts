/** Figures of the workspace: now, over time, and their conversations. */
import { sql } from "kysely";
import type { Db } from "../../db/database.ts";
import type {
  Breakdown,
  BreakdownQuery,
  BusinessHours,
  DrillDown,
  DrillDownQuery,
  HeatMapResponse,
  MetricName,
  SeriesQuery,
  SeriesResponse,
} from "../../protocol/analytics.ts";
import type { EventBus } from "../events.ts";
import { readDrillDown } from "./drill_down.ts";
import { readBusinessHours, writeBusinessHours } from "./business_hours.ts";
import { RESOLUTION_MS } from "./calendar.ts";
import { figureOf, pointsOf, sumsOf } from "./figures.ts";
import { fold } from "./fold.ts";
import { type ConversationFigures, figuresOfConversations } from "./conversation_figures.ts";
import { forgetPoints, type Retention, type Sum, sumPoints } from "./points.ts";
import type { ProcessCounters } from "./process_counters.ts";
import { DEFINITIONS, type Gauges } from "./registry.ts";
import { readBreakdown, readHeatMap, readSeries } from "./series.ts";

export interface LiveValue {
  value: number | null;
  /** Of messages. */
  byChannel?: Record<string, number>;
}

export interface Analytics {
  /**
   * The current values of these metrics: gauges and open conversations now, messages in the last
   * minute, everything else over the last 24 hours.
   */
  live(names: readonly MetricName[], gauges: () => Promise<Gauges>): Promise<
    Map<MetricName, LiveValue>
  >;
  /** Figures of single conversations over the last 24 hours, by id, of those that exist. */
  ofConversations(ids: readonly string[]): Promise<Map<string, ConversationFigures>>;
  series(
    metric: MetricName,
    query: Omit<SeriesQuery, "metric" | "format">,
  ): Promise<SeriesResponse>;
  /** A table of totals by agent, team, channel or label. */
  breakdown(query: Omit<BreakdownQuery, "format">): Promise<Breakdown>;
  heatMap(
    metric: MetricName,
    query: { from: Date; to: Date; timeZone: string },
  ): Promise<HeatMapResponse>;
  drillDown(metric: MetricName, query: Omit<DrillDownQuery, "metric">): Promise<DrillDown>;
  businessHours(): Promise<BusinessHours>;
  setBusinessHours(hours: BusinessHours): Promise<void>;
  stop(): Promise<void>;
}

/** How often to check whether something is to be folded, and the longest time without folding. */
const CHECK_MS = 1000;
const IDLE_MS = 60_000;
/** The largest share of the time that folding may take. */
const SHARE = 1 / 20;
/** How long after a read figures are kept up to date, because the reader is likely to read again. */
const WATCHED_MS = 10_000;
/** How long a reader waits for folding. */
const PATIENCE_MS = 2000;
const FLUSH_MS = 15_000;
const FORGET_MS = 3_600_000;
/** What is folded again after a start, in case the last process ended in the middle. */
const REFOLD_MS = 600_000;
const RECENT_MS = 86_400_000;

export function createAnalytics(options: {
  db: Db;
  /** For what may take long. */
  jobs: Db;
  bus: EventBus;
  counters: ProcessCounters;
  retention: Retention;
  onError: (error: unknown) => void;
}): Analytics {
  const { db, jobs, bus, counters, retention, onError } = options;
  let dirty = true;
  let first = true;
  let stopped = false;
  let folding: Promise<void> | null = null;
  let foldedAt = -Infinity;
  let tookMs = 0;
  let readAt = -Infinity;
  let flushedAt = performance.now();
  let forgotAt = -Infinity;
  bus.on("conversation.logged", () => dirty = true);

  function foldNow(): Promise<void> {
    return folding ??= (async () => {
      const start = performance.now();
      dirty = false;
      try {
        const again = first ? REFOLD_MS : 0;
        if (await fold(jobs, { now: Date.now(), retention, again })) first = false;
        tookMs = performance.now() - start;
      } catch (error) {
        dirty = true;
        throw error;
      } finally {
        foldedAt = performance.now();
        folding = null;
      }
    })();
  }

  /** Folds what was committed, as far as the share of time allows, before figures are read. */
  async function catchUp(): Promise<void> {
    const now = performance.now();
    readAt = now;
    const rested = now - foldedAt >= tookMs / SHARE;
    // There is no event for the changes of other nodes.
    if (folding === null && !(rested && (dirty || now - foldedAt >= CHECK_MS))) return;
    // Folding years of data takes long; until then the figures are what is folded so far.
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, PATIENCE_MS);
    await Promise.race([foldNow().catch(onError), promise]);
    clearTimeout(timer);
  }

  async function check(): Promise<void> {
    const now = performance.now();
    const idle = now - foldedAt;
    const watched = now - readAt < WATCHED_MS;
    if (idle >= IDLE_MS || (dirty && watched && idle >= Math.max(CHECK_MS, tookMs / SHARE))) {
      await foldNow();
    }
    if (now - flushedAt >= FLUSH_MS) {
      flushedAt = now;
      await counters.flush();
    }
    if (now - forgotAt >= FORGET_MS) {
      forgotAt = now;
      await forgetPoints(jobs, retention, Date.now());
    }
  }

  let checking: Promise<void> | null = null;
  const timer = setInterval(() => {
    checking ??= check().catch(onError).finally(() => checking = null);
  }, CHECK_MS);
  const series = () => ({ db, retention, now: Date.now() });

  return {
    async live(names, gauges) {
      const wanted = names.map((name) => ({ name, source: DEFINITIONS[name].source }));
      const kinds = new Set(wanted.map(({ source }) => source.kind));
      const values = new Map<MetricName, LiveValue>();
      const gauge = kinds.has("gauge") ? await gauges() : null;
      const states = kinds.has("state") ? await openConversations(db) : null;
      const minute = kinds.has("messages") ? await lastMinute(db) : null;
      const history = wanted.filter(({ source }) =>
        source.kind === "rating" || (source.kind !== "messages" && pointsOf(source).length > 0)
      );
      let sums: Sum[] = [];
      if (history.length > 0) {
        await catchUp();
        const now = Date.now();
        const step = RESOLUTION_MS.quarter;
        const query = {
          dimension: "all",
          resolution: "quarter",
          boundaries: [
            Math.floor((now - RECENT_MS) / step) * step,
            Math.floor(now / step) * step + step,
          ],
        } as const;
        const metrics = [...new Set(history.flatMap(({ source }) => pointsOf(source)))];
        if (metrics.length > 0) sums = await sumPoints(db, { ...query, metrics });
        if (kinds.has("rating")) sums.push(...await sumsOf(db, { kind: "rating" }, query));
      }
      for (const { name, source } of wanted) {
        if (source.kind === "gauge") values.set(name, { value: gauge![source.gauge] });
        else if (source.kind === "state") values.set(name, { value: states![source.state] });
        else if (source.kind === "messages") values.set(name, minute![source.of]);
        else values.set(name, { value: figureOf(source, sums) });
      }
      return values;
    },

    async ofConversations(ids) {
      await catchUp();
      return await figuresOfConversations(db, ids, new Date(Date.now() - RECENT_MS));
    },

    async series(metric, query) {
      await catchUp();
      return await readSeries(series(), metric, query);
    },
    async breakdown(query) {
      await catchUp();
      return await readBreakdown(series(), query);
    },
    async heatMap(metric, query) {
      await catchUp();
      return await readHeatMap(series(), metric, query);
    },
    async drillDown(metric, query) {
      await catchUp();
      return await readDrillDown(db, metric, query);
    },
    businessHours: () => readBusinessHours(db),
    setBusinessHours: (hours) => writeBusinessHours(db, hours),

    async stop() {
      if (stopped) return;
      stopped = true;
      clearInterval(timer);
      await checking;
      await folding;
      await counters.flush().catch(onError);
    },
  };
}

async function openConversations(db: Db): Promise<Record<"open" | "waiting" | "bot", number>> {
  const { rows: [row] } = await sql<Record<"open" | "waiting" | "bot", number>>`
    select count(*)::int as open, count(waiting_since)::int as waiting,
      (count(*) filter (where last_message_role = 'bot'))::int as bot
    from conversations where status = 'open'`.execute(db);
  return row!;
}

async function lastMinute(
  db: Db,
): Promise<Record<"messages_in" | "messages_out", Required<LiveValue>>> {
  const from = new Date(Date.now() - 60_000).toISOString();
  const { rows } = await sql<{ visitor: boolean; platform: string; n: number }>`
    select sender_role = 'visitor' as visitor, platform, count(*)::int as n from chat_messages
    where created_at > ${from} and type = 'text' and not is_private and sender_role <> 'system'
    group by 1, 2 order by 2`.execute(db);
  const of = (inbound: boolean) => {
    const own = rows.filter(({ visitor }) => visitor === inbound);
    return {
      value: own.reduce((sum, { n }) => sum + n, 0),
      byChannel: Object.fromEntries(own.map(({ platform, n }) => [platform, n])),
    };
  };
  return { messages_in: of(true), messages_out: of(false) };
}
