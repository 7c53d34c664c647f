/** The view of the analytics page, and its form in the address. */
import {
  DIMENSIONS,
  type MetricDimension,
  type MetricInterval,
  type MetricName,
  METRICS,
} from "../../protocol/analytics.ts";

/** A number of days up to today, or custom days. */
export const RANGES = ["today", "7", "30", "90", "custom"] as const;
export type RangeName = typeof RANGES[number];

/** Days of the local calendar such as "2026-11-21", both inclusive. */
export interface Days {
  first: string;
  last: string;
}

export interface View {
  metric: MetricName;
  by: MetricDimension | "";
  range: RangeName;
  /** For the range "custom". */
  days: Days;
}

/** The figures at the top of the page, in their order. */
export const HEADLINES = [
  "conversations_started",
  "first_response_median",
  "resolution_median",
  "satisfaction",
] as const satisfies MetricName[];

/** Of the server and its network, on a page of their own for operators. */
export const DELIVERY: ReadonlySet<MetricName> = new Set([
  "connections",
  "delivery_p50",
  "delivery_p95",
  "delivery_p99",
  "receipt_p50",
  "receipt_p95",
  "receipt_p99",
  "error_rate",
  "reconnect_rate",
]);

/** The two pages of figures. */
export type BoardKind = "team" | "delivery";

export const FIRST_METRIC: Record<BoardKind, MetricName> = {
  team: "conversations_started",
  delivery: "delivery_p95",
};

const DEFAULT = { by: "", range: "7" } as const;
const DAY_MS = 86_400_000;

/** Local days up to today, inclusive. */
export function daysOf(range: Exclude<RangeName, "custom">, now: number): Days {
  const first = new Date(now);
  first.setDate(first.getDate() - (range === "today" ? 0 : Number(range) - 1));
  return { first: dayOf(first), last: dayOf(new Date(now)) };
}

export function dayOf(date: Date): string {
  const pad = (n: number, length = 2) => String(n).padStart(length, "0");
  return `${pad(date.getFullYear(), 4)}-${pad(date.getMonth() + 1)}-${pad(date.getDate())}`;
}

/** The beginning and the end of these days, in the zone of this browser. */
export function momentsOf({ first, last }: Days): { from: string; to: string } {
  const from = midnightOf(first)!;
  const to = midnightOf(last)!;
  to.setDate(to.getDate() + 1);
  return { from: from.toISOString(), to: to.toISOString() };
}

/** Number of days in the range, both ends included. */
export function lengthOf(days: Days): number {
  const { from, to } = momentsOf(days);
  // A day may have 23 or 25 hours.
  return Math.round((Date.parse(to) - Date.parse(from)) / DAY_MS);
}

/** Chosen so that a chart has no more points than can be told apart. */
export function intervalOf(days: Days): MetricInterval {
  const length = lengthOf(days);
  return length <= 2 ? "hour" : length <= 200 ? "day" : length <= 1100 ? "week" : "month";
}

/** The error in a custom range, as a sentence; null: none. */
export function troubleWith({ first, last }: Days, today: string): string | null {
  if (midnightOf(first) === null || midnightOf(last) === null) return "Choose two days";
  if (first > last) return "The first day is after the last";
  return first > today ? "The first day has not come yet" : null;
}

/** Local midnight; null for a date that does not exist. */
function midnightOf(day: string): Date | null {
  const parts = /^(\d{4})-(\d\d)-(\d\d)$/.exec(day);
  if (parts === null) return null;
  const [year, month, date] = parts.slice(1).map(Number) as [number, number, number];
  const midnight = new Date(year, month - 1, date);
  return year >= 1970 && dayOf(midnight) === day ? midnight : null;
}

/** The view in an address. Invalid values are ignored. */
export function viewOf(
  params: URLSearchParams,
  now: number,
  first: MetricName = FIRST_METRIC.team,
): View {
  const one = <T extends string>(known: readonly T[], name: string) =>
    known.find((value) => value === params.get(name));
  const days = { first: params.get("from") ?? "", last: params.get("to") ?? "" };
  const isCustom = troubleWith(days, dayOf(new Date(now))) === null;
  const range = one(RANGES, "range") ?? DEFAULT.range;
  return {
    metric: one(METRICS, "metric") ?? first,
    by: one(DIMENSIONS, "by") ?? DEFAULT.by,
    range: isCustom ? "custom" : range === "custom" ? DEFAULT.range : range,
    days: isCustom ? days : daysOf("30", now),
  };
}

/** "?metric=messages_out&range=30", or "" for the default view. */
export function queryOf(
  { metric, by, range, days }: View,
  first: MetricName = FIRST_METRIC.team,
): string {
  const params = new URLSearchParams();
  if (metric !== first) params.set("metric", metric);
  if (by !== DEFAULT.by) params.set("by", by);
  if (range === "custom") {
    params.set("from", days.first);
    params.set("to", days.last);
  } else if (range !== DEFAULT.range) params.set("range", range);
  const query = params.toString();
  return query === "" ? "" : `?${query}`;
}
