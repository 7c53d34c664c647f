import type { SeriesResponse } from "../../protocol/analytics.ts";

/**
 * One row for each interval: begin, end, value, the previous period where it is requested, and each
 * part. RFC 4180 with lines that end in CRLF; unknown values are empty.
 */
export function toCsv({ metric, buckets, previous, parts }: SeriesResponse): string {
  const head = ["start", "end", metric];
  if (previous !== null) head.push(`${metric} before`);
  for (const { name } of parts) head.push(name);
  const rows = buckets.map(({ start, end, value }, index) => [
    start,
    end,
    value,
    ...(previous === null ? [] : [previous.buckets[index]?.value ?? null]),
    ...parts.map((part) => part.buckets[index]?.value ?? null),
  ]);
  return [head, ...rows].map(csvLine).join("");
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
