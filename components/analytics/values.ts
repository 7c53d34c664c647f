import type {
  MetricDimension,
  MetricName,
  MetricUnit,
  SeriesResponse,
} from "../../protocol/analytics.ts";

/** What a tile or an axis is called; the explanation comes from the server. */
export const TITLES: Record<MetricName, string> = {
  visitors_online: "Visitors online",
  agents_online: "Agents online",
  typing_now: "Typing now",
  connections: "Connections",
  conversations_open: "Open conversations",
  conversations_waiting: "Waiting",
  conversations_bot: "With the bot",
  messages_in: "Messages in",
  messages_out: "Messages out",
  conversations_started: "Conversations started",
  conversations_resolved: "Conversations resolved",
  writing_share: "Engaged visitors",
  returning_share: "Returning visitors",
  messages_per_conversation: "Messages per conversation",
  satisfaction: "Satisfaction",
  first_response_median: "First response, median",
  first_response_p90: "First response, 90th percentile",
  response_median: "Response, median",
  response_p90: "Response, 90th percentile",
  resolution_median: "Resolution, median",
  resolution_p90: "Resolution, 90th percentile",
  delivery_p50: "Delivery, median",
  delivery_p95: "Delivery, 95th percentile",
  delivery_p99: "Delivery, 99th percentile",
  receipt_p50: "Round trip, median",
  receipt_p95: "Round trip, 95th percentile",
  receipt_p99: "Round trip, 99th percentile",
  error_rate: "Connections that failed",
  reconnect_rate: "Reconnections",
};

/** For values of the last minute. */
export const LIVE_TITLES: Partial<Record<MetricName, string>> = {
  messages_in: "Messages per minute",
  messages_out: "Replies per minute",
};

export const DIMENSION_WORDS: Record<MetricDimension, string> = {
  agent: "Agent",
  team: "Team",
  channel: "Channel",
  label: "Label",
};

/** Heads of columns, which are narrow. */
export const COLUMN_TITLES: Partial<Record<MetricName, string>> = {
  conversations_started: "Started",
  conversations_resolved: "Resolved",
  first_response_median: "First response",
  resolution_median: "Resolution",
};

/** The name of a bucket: "21 November at 14:00", "21 November", "week of 16 November 2026", … */
export function bucketText({ buckets, timeZone, interval }: SeriesResponse, index: number): string {
  const isLong = interval === "week" || interval === "month";
  const text = new Intl.DateTimeFormat("en-GB", {
    timeZone,
    month: "long",
    ...(interval === "month" ? {} : { day: "numeric" }),
    ...(isLong ? { year: "numeric" } : {}),
    ...(interval === "hour" ? { hour: "2-digit", minute: "2-digit" } : {}),
  }).format(Date.parse(buckets[index]!.start));
  return interval === "week" ? `week of ${text}` : text;
}

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** "–" for unknown values. */
export function valueText(value: number | null | undefined, unit: MetricUnit): string {
  if (value === null || value === undefined) return "–";
  switch (unit) {
    case "count":
      return compact(value);
    case "share":
      return `${trim(value * 100, 1)} %`;
    case "score":
      return trim(value, 1);
    case "milliseconds":
      return value < 1000 ? `${trim(value, value < 10 ? 1 : 0)} ms` : `${trim(value / 1000, 1)} s`;
    case "seconds":
      return secondsText(value);
  }
}

function secondsText(value: number): string {
  if (value < 1) return value === 0 ? "0 s" : "< 1 s";
  const seconds = Math.round(value);
  if (seconds < MINUTE) return `${seconds} s`;
  if (seconds < HOUR) return pair(seconds, MINUTE, "min", 1, "s");
  if (seconds < DAY) return pair(seconds, HOUR, "h", MINUTE, "min");
  return pair(seconds, DAY, "d", HOUR, "h");
}

function pair(value: number, big: number, bigName: string, small: number, smallName: string) {
  const whole = Math.floor(value / big);
  const rest = Math.floor((value - whole * big) / small);
  return rest === 0 ? `${whole} ${bigName}` : `${whole} ${bigName} ${rest} ${smallName}`;
}

function compact(value: number): string {
  if (Math.abs(value) < 10_000) return trim(value, 1);
  return new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 })
    .format(value);
}

function trim(value: number, digits: number): string {
  return new Intl.NumberFormat("en", { maximumFractionDigits: digits }).format(value);
}

/** The change in percent, such as "+12 %"; null where it has no meaning. */
export function changeText(value: number | null, before: number | null): string | null {
  if (value === null || before === null || before === 0) return null;
  const change = Math.round((value / before - 1) * 100);
  if (change === 0) return "as before";
  return `${change > 0 ? "+" : "−"}${Math.abs(change)} %`;
}

/** Pixels that a label of the time axis needs, with its distance to the next. */
const LABEL_WIDTH = 84;

/**
 * The buckets that have a label on the time axis, evenly, as many as there is room for: each label
 * belongs to a bucket, so that none is there twice.
 */
export function labelledBuckets(count: number, width: number): number[] {
  const room = Math.max(1, Math.floor(width / LABEL_WIDTH));
  const step = Math.max(1, Math.ceil(count / room));
  return Array.from({ length: Math.ceil(count / step) }, (_, i) => i * step);
}

/** The label of an hour: at midnight the day, without which hours of two days are the same. */
export function hourLabel(start: string, timeZone: string, locale: string): string {
  const at = Date.parse(start);
  const hour = new Intl.DateTimeFormat("en-GB", { timeZone, hour: "2-digit", hourCycle: "h23" });
  const options: Intl.DateTimeFormatOptions = hour.format(at) === "00"
    ? { weekday: "short", day: "numeric" }
    : { hour: "numeric", minute: "2-digit" };
  return new Intl.DateTimeFormat(locale, { timeZone, ...options }).format(at);
}
