import { batch, computed, effect, signal } from "@preact/signals";
import { Analytics } from "../../client/analytics.ts";
import type {
  AnalyticsResponse,
  DrillDown as DrillDownResponse,
  HeatMapResponse,
  MetricDescription,
  MetricDimension,
  MetricName,
  SeriesResponse,
} from "../../protocol/analytics.ts";
import { ApiError, errorText } from "../live/api.ts";
import { serverNow } from "../live/server_time.ts";
import type { WorkspaceModel } from "../live/workspace_model.ts";
import {
  type BoardKind,
  type Days,
  daysOf,
  DELIVERY,
  FIRST_METRIC,
  HEADLINES,
  intervalOf,
  lengthOf,
  momentsOf,
  queryOf,
  type RangeName,
  viewOf,
} from "./view.ts";

/** The conversations of the whole range or of one part. */
export interface DrillDown {
  title: string;
  items: DrillDownResponse["items"] | null;
}

export type AnalyticsModel = ReturnType<typeof createAnalyticsModel>;

/** Milliseconds after which the values are read again. */
const AGAIN_MS = 60_000;
/** The hours of the week cover a year at most. */
const HEAT_DAYS = 366;

/** For values of hours that are deleted already: days are kept longer. */
function noneIfForgotten(error: unknown): null {
  if (error instanceof ApiError && error.code === "invalid") return null;
  throw error;
}

/** The analytics page: live values from the socket, values over time from the API. */
export function createAnalyticsModel(workspace: WorkspaceModel, kind: BoardKind = "team") {
  const start = FIRST_METRIC[kind];
  const known = signal<MetricDescription[] | null>(null);
  const live = signal<Record<string, number | null>>({});
  const first = viewOf(new URLSearchParams(globalThis.location?.search), serverNow(), start);
  const metric = signal<MetricName>(first.metric);
  const range = signal<RangeName>(first.range);
  /** The range "custom". */
  const days = signal<Days>(first.days);
  const by = signal<MetricDimension | "">(first.by);
  const series = signal<SeriesResponse | null>(null);
  /** With the period before, for the trends; null until they are read. */
  const headlines = signal<Partial<Record<MetricName, SeriesResponse>> | null>(null);
  /** Counts readings, so that other parts of the page read again, too. */
  const readAt = signal(0);
  const heat = signal<HeatMapResponse | null>(null);
  const drillDown = signal<DrillDown | null>(null);
  const problem = signal<string | null>(null);
  const loading = signal(false);
  let reading: AbortController | null = null;
  let drillDownRequest: AbortController | null = null;

  const chosen = computed(() => known.value?.find(({ name }) => name === metric.value) ?? null);
  const dimensions = computed(() =>
    (chosen.value?.dimensions ?? []).filter((one) =>
      one !== "agent" || workspace.me.value.role === "admin"
    )
  );

  function shownDays(): Days {
    const name = range.peek();
    return name === "custom" ? days.peek() : daysOf(name, serverNow());
  }

  function query(name: MetricName = metric.peek()): string {
    const { from, to } = momentsOf(shownDays());
    const timeZone = Intl.DateTimeFormat().resolvedOptions().timeZone;
    return new URLSearchParams({ metric: name, from, to, timeZone }).toString();
  }

  function seriesPath(name: MetricName = metric.peek(), part: string = by.peek()): string {
    const interval = intervalOf(shownDays());
    const dimension = part === "" ? "" : `&by=${part}`;
    const compare = "&compare=previous";
    return `/api/analytics/series?${query(name)}&interval=${interval}${compare}${dimension}`;
  }

  async function readHeadlines(stop: AbortSignal) {
    if (kind !== "team") return null;
    const all = await Promise.all(
      HEADLINES.map((name) =>
        workspace.request<SeriesResponse>(seriesPath(name, ""), { signal: stop })
      ),
    );
    return Object.fromEntries(all.map((one) => [one.metric, one]));
  }

  async function read(): Promise<void> {
    reading?.abort();
    const mine = reading = new AbortController();
    const { signal: stop } = mine;
    loading.value = true;
    try {
      const [nextHeadlines, nextSeries, nextHeat] = await Promise.all([
        readHeadlines(stop),
        workspace.request<SeriesResponse>(seriesPath(), { signal: stop }),
        lengthOf(shownDays()) > HEAT_DAYS
          ? null
          : workspace.request<HeatMapResponse>(`/api/analytics/heatmap?${query()}`, {
            signal: stop,
          })
            .catch(noneIfForgotten),
      ]);
      if (stop.aborted) return;
      batch(() => {
        headlines.value = nextHeadlines;
        readAt.value++;
        series.value = nextSeries;
        heat.value = nextHeat;
        problem.value = null;
        loading.value = false;
      });
    } catch (error) {
      if (stop.aborted) return;
      batch(() => {
        problem.value = errorText(error);
        loading.value = false;
      });
    }
  }

  function choose(change: () => void): void {
    batch(() => {
      change();
      drillDown.value = null;
      keepPossible();
    });
    const place = queryOf({
      metric: metric.value,
      by: by.value,
      range: range.value,
      days: days.value,
    }, start);
    history.replaceState(history.state, "", `${location.pathname}${place}`);
    void read();
  }

  /**
   * An address may ask for a metric without history, or for a dimension that the agent may not see.
   */
  function keepPossible(): void {
    if (chosen.value?.history !== true) metric.value = start;
    if (by.value !== "" && !dimensions.value.includes(by.value)) by.value = "";
  }

  async function showDrillDown(title: string, more: Record<string, string> = {}): Promise<void> {
    drillDownRequest?.abort();
    const mine = drillDownRequest = new AbortController();
    drillDown.value = { title, items: null };
    const parameters = new URLSearchParams(query());
    parameters.delete("timeZone");
    for (const [key, value] of Object.entries(more)) parameters.set(key, value);
    try {
      const { items } = await workspace.request<DrillDownResponse>(
        `/api/analytics/conversations?${parameters}`,
        { signal: mine.signal },
      );
      if (!mine.signal.aborted) drillDown.value = { title, items };
    } catch (error) {
      if (mine.signal.aborted) return;
      drillDown.value = null;
      workspace.fail(error);
    }
  }

  /** The range that is shown. */
  function ratingsQuery(): string {
    // Subscribes to what it depends on.
    void range.value;
    void days.value;
    return new URLSearchParams(momentsOf(shownDays())).toString();
  }
  const downloadRatings = () => {
    const timeZone = Intl.DateTimeFormat().resolvedOptions().timeZone;
    const zone = new URLSearchParams({ timeZone });
    return save(`/api/ratings?${ratingsQuery()}&${zone}&format=csv`, "ratings.csv");
  };
  const downloadBreakdown = (part: MetricDimension) => {
    const timeZone = Intl.DateTimeFormat().resolvedOptions().timeZone;
    const zone = new URLSearchParams({ timeZone });
    const path = `/api/analytics/breakdown?by=${part}&${ratingsQuery()}&${zone}&format=csv`;
    return save(path, `by-${part}.csv`);
  };
  const download = () => save(`${seriesPath()}&format=csv`, `${metric.value}.csv`);

  /** A table as a file. It needs a token, so a plain link is not enough. */
  async function save(path: string, name: string): Promise<void> {
    try {
      const response = await fetch(path, {
        headers: { authorization: `Bearer ${await workspace.token()}` },
      });
      if (!response.ok) throw new ApiError(response.status, await response.json());
      const url = URL.createObjectURL(await response.blob());
      const link = document.createElement("a");
      link.href = url;
      link.download = name;
      link.click();
      URL.revokeObjectURL(url);
    } catch (error) {
      workspace.fail(error);
    }
  }

  /** Starts it; returns a function that ends it. Call it between `begin` and its end. */
  function begin(): () => void {
    const analytics = new Analytics(workspace.client()!);
    const { unsubscribe } = analytics.subscribe(
      ["activity", "engagement", "performance"],
      ({ value }) => {
        if (typeof value === "object") live.value = { ...live.value, ...value };
      },
    );
    workspace.request<AnalyticsResponse>("/api/analytics").then(({ metrics, values }) => {
      batch(() => {
        known.value = metrics.filter(({ name }) => DELIVERY.has(name) === (kind === "delivery"));
        live.value = { ...values, ...live.value };
        keepPossible();
      });
      return read();
    }).catch((error) => problem.value = errorText(error));
    const timer = setInterval(() => {
      if (document.visibilityState === "visible" && known.value !== null) void read();
    }, AGAIN_MS);
    return () => {
      clearInterval(timer);
      reading?.abort();
      drillDownRequest?.abort();
      unsubscribe();
    };
  }

  return {
    known,
    live,
    metric,
    range,
    days,
    by,
    series,
    headlines,
    readAt,
    heat,
    drillDown,
    problem,
    loading,
    chosen,
    dimensions,
    setMetric: (next: MetricName) => choose(() => metric.value = next),
    setRange: (next: RangeName) =>
      choose(() => {
        // A custom range begins with the days that are shown.
        if (next === "custom") days.value = shownDays();
        range.value = next;
      }),
    setDays: (next: Days) => choose(() => days.value = next),
    setBy: (next: MetricDimension | "") => choose(() => by.value = next),
    read,
    showDrillDown,
    hideDrillDown: () => void (drillDown.value = null),
    download,
    ratingsQuery,
    rangeQuery: ratingsQuery,
    downloadRatings,
    downloadBreakdown,
    /** Calls `start` when the page is hydrated. */
    whenAlive(start: () => () => void): () => void {
      let end: (() => void) | undefined;
      const stop = effect(() => {
        if (workspace.live.value && end === undefined) end = start();
      });
      return () => {
        stop();
        end?.();
      };
    },
    begin,
  };
}
