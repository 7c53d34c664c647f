import type { Breakdown, SeriesResponse } from "../../protocol/analytics.ts";
import { localOf } from "./calendar.ts";

/** Tells spreadsheets that the text is UTF-8. */
export const BYTE_ORDER_MARK = "\ufeff";

const DAY_MS = 24 * 60 * 60_000;

/**
 * One row for each interval: begin, end (exclusive), value, the previous period where it is
 * requested, and each part. Times are those of the response's time zone, which the header names;
 * hours have their offset from UTC, because one hour of the year happens twice. RFC 4180 with lines
 * that end in CRLF; unknown values are empty.
 */
export function toCsv(series: SeriesResponse): string {
  const { metric, timeZone, interval, buckets, previous, parts } = series;
  const hasOffset = interval === "hour";
  const head = [`start (${timeZone})`, `end (exclusive, ${timeZone})`];
  if (hasOffset) head.push("UTC offset");
  head.push(metric);
  if (previous !== null) head.push(`${metric} before`);
  for (const { name } of parts) head.push(name);
  const rows = buckets.map(({ start, end, value }, index) => [
    localTime(start, timeZone, !hasOffset),
    localTime(end, timeZone, !hasOffset),
    ...(hasOffset ? [offset(start, timeZone)] : []),
    value,
    ...(previous === null ? [] : [previous.buckets[index]?.value ?? null]),
    ...parts.map((part) => part.buckets[index]?.value ?? null),
  ]);
  return BYTE_ORDER_MARK + [head, ...rows].map((cells) => csvLine(cells)).join("");
}

/** One row for each agent, team, channel or label; times are in seconds. */
export function breakdownCsv({ by, columns, rows }: Breakdown): string {
  const head = [by, ...columns.map(({ metric }) => metric)];
  const lines = rows.map(({ name, values }) => [name, ...values]);
  return BYTE_ORDER_MARK + [head, ...lines].map((cells) => csvLine(cells)).join("");
}

/** "2026-10-25 14:00"; "2026-10-25" for a midnight in a table of days. */
export function localTime(iso: string, timeZone: string, isDays: boolean): string {
  const local = localOf(Date.parse(iso), timeZone);
  const [day, time] = new Date(local).toISOString().split("T") as [string, string];
  return isDays && local % DAY_MS === 0 ? day : `${day} ${time.slice(0, 5)}`;
}

/** "UTC+02:00": with the letters, no spreadsheet takes it for a formula. */
function offset(iso: string, timeZone: string): string {
  const instant = Date.parse(iso);
  const minutes = Math.round((localOf(instant, timeZone) - instant) / 60_000);
  const pad = (n: number) => String(n).padStart(2, "0");
  const size = Math.abs(minutes);
  return `UTC${minutes < 0 ? "-" : "+"}${pad(Math.floor(size / 60))}:${pad(size % 60)}`;
}

export function csvLine(cells: (string | number | null)[]): string {
  return cells.map(cell).join(",") + "\r\n";
}

/** Spreadsheets read text that begins with one of these as a formula. */
const FORMULA = /^[=+\-@\t\r]/;

function cell(value: string | number | null): string {
  if (value === null) return "";
  if (typeof value === "number") return String(value);
  const text = FORMULA.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
