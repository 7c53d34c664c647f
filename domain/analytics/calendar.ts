/**
 * Days and hours of a time zone as instants, in milliseconds since the epoch. A local day has 23, 24
 * or 25 hours, so begins of days, hours and months are computed in the zone, never added up.
 */
import type { MetricInterval } from "../../protocol/analytics.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** Formats that are cached: clients can send many names of zones. */
const MAX_FORMATS = 100;
const formats = new Map<string, Intl.DateTimeFormat>();

function formatOf(timeZone: string): Intl.DateTimeFormat {
  let format = formats.get(timeZone);
  if (format === undefined) {
    format = new Intl.DateTimeFormat("en-US", {
      timeZone,
      calendar: "gregory",
      hourCycle: "h23",
      year: "numeric",
      month: "numeric",
      day: "numeric",
      hour: "numeric",
      minute: "numeric",
      second: "numeric",
    });
    formats.set(timeZone, format);
    if (formats.size > MAX_FORMATS) formats.delete(formats.keys().next().value!);
  }
  return format;
}

/** Milliseconds by which local clocks are ahead of UTC at that instant. */
export function offsetAt(instant: number, timeZone: string): number {
  const part: Record<string, number> = {};
  for (const { type, value } of formatOf(timeZone).formatToParts(instant)) {
    part[type] = Number(value);
  }
  const local = Date.UTC(
    part["year"]!,
    part["month"]! - 1,
    part["day"]!,
    part["hour"]!,
    part["minute"]!,
    part["second"]!,
  );
  return local - Math.floor(instant / 1000) * 1000;
}

/** A part of a range with one offset. */
export interface Stretch {
  from: number;
  to: number;
  offset: number;
}

/** Splits a range where the clocks change, in order. */
export function stretches(from: number, to: number, timeZone: string): Stretch[] {
  const result: Stretch[] = [];
  let start = from;
  let offset = offsetAt(from, timeZone);
  for (let at = from; at < to;) {
    // No zone has ever had two changes within a week, so a step of a week misses none.
    const next = Math.min(to, at + 7 * DAY);
    const then = offsetAt(next, timeZone);
    if (then !== offset) {
      let low = at;
      let high = next;
      while (high - low > 1) {
        const middle = Math.floor((low + high) / 2);
        if (offsetAt(middle, timeZone) === offset) low = middle;
        else high = middle;
      }
      result.push({ from: start, to: high, offset });
      start = high;
      offset = then;
    }
    at = next;
  }
  if (start < to) result.push({ from: start, to, offset });
  return result;
}

/**
 * The instant at which local clocks show this time: the first where they show it twice, and where
 * they skip it, the instant of the change.
 *
 * @param local the local time, as if it were UTC
 */
export function instantOf(local: number, timeZone: string): number {
  const early = offsetAt(local - DAY, timeZone);
  const late = offsetAt(local + DAY, timeZone);
  const candidates = [local - early, local - late]
    .filter((instant) => instant + offsetAt(instant, timeZone) === local);
  if (candidates.length > 0) return Math.min(...candidates);
  const around = stretches(local - DAY - early, local + DAY - late, timeZone);
  // The clocks skip it: the change is where the later stretch begins.
  return around.find((one) => one.from + one.offset > local)?.from ?? local - late;
}

/** Local time of an instant, as if it were UTC. */
export function localOf(instant: number, timeZone: string): number {
  return instant + offsetAt(instant, timeZone);
}

function floorLocal(local: number, interval: MetricInterval): number {
  const date = new Date(local);
  switch (interval) {
    case "hour":
      return Math.floor(local / HOUR) * HOUR;
    case "day":
      return Math.floor(local / DAY) * DAY;
    case "week": {
      const day = Math.floor(local / DAY);
      // 1 January 1970 was a Thursday; weeks begin on Monday.
      return (day - ((day + 3) % 7 + 7) % 7) * DAY;
    }
    case "month":
      return Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), 1);
  }
}

function nextLocal(local: number, interval: "day" | "week" | "month", steps = 1): number {
  if (interval === "month") {
    const date = new Date(local);
    return Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + steps, 1);
  }
  return local + steps * (interval === "day" ? DAY : 7 * DAY);
}

/** The longest duration of an interval, with the clocks set back within it. */
const LONGEST: Record<MetricInterval, number> = {
  hour: HOUR,
  day: DAY + 3 * HOUR,
  week: 7 * DAY + 3 * HOUR,
  month: 31 * DAY + 3 * HOUR,
};

/**
 * The begins of the intervals of a range, and the end of the range: n + 1 instants for n intervals.
 * The first and the last may be cut by the range.
 *
 * @param max of intervals; undefined is returned where there are more
 */
export function boundaries(
  from: number,
  to: number,
  interval: MetricInterval,
  timeZone: string,
  max: number,
): number[] | undefined {
  // Checked before any of them is computed.
  if ((to - from) / LONGEST[interval] > max) return undefined;
  const result = [from];
  if (interval === "hour") {
    // Hours continue when clocks change: one is repeated, or one is missing.
    for (const stretch of stretches(from, to, timeZone)) {
      const first = Math.floor((stretch.from + stretch.offset) / HOUR) * HOUR - stretch.offset;
      for (let at = first; at < stretch.to; at += HOUR) {
        if (at > result.at(-1)! && at >= stretch.from) result.push(at);
        if (result.length > max) return undefined;
      }
    }
  } else {
    let local = floorLocal(localOf(from, timeZone), interval);
    for (;;) {
      local = nextLocal(local, interval);
      const at = instantOf(local, timeZone);
      if (at >= to) break;
      if (at > result.at(-1)!) result.push(at);
      if (result.length > max) return undefined;
    }
  }
  result.push(to);
  return result;
}

/**
 * The previous range of the same length by the calendar: seven local days before seven local days, even
 * if one of them has 23 hours; whole months before whole months.
 */
export function rangeBefore(
  from: number,
  to: number,
  timeZone: string,
): { from: number; to: number } {
  const start = localOf(from, timeZone);
  const end = localOf(to, timeZone);
  const isMonths = floorLocal(start, "month") === start && floorLocal(end, "month") === end;
  if (isMonths) {
    const months = (new Date(end).getUTCFullYear() - new Date(start).getUTCFullYear()) * 12 +
      new Date(end).getUTCMonth() - new Date(start).getUTCMonth();
    return { from: instantOf(nextLocal(start, "month", -months), timeZone), to: from };
  }
  return { from: Math.min(from - 1, instantOf(start - (end - start), timeZone)), to: from };
}

/** Resolutions of points, coarsest first. */
export type Resolution = "day" | "hour" | "quarter" | "minute";
export const RESOLUTION_MS: Record<Resolution, number> = {
  day: DAY,
  hour: HOUR,
  quarter: 15 * MINUTE,
  minute: MINUTE,
};
export const RESOLUTIONS: readonly Resolution[] = ["day", "hour", "quarter", "minute"];

/** The coarsest resolution of which all instants are multiples; undefined: not even minutes. */
export function resolutionFor(instants: readonly number[]): Resolution | undefined {
  return RESOLUTIONS.find((resolution) =>
    instants.every((instant) => instant % RESOLUTION_MS[resolution] === 0)
  );
}
