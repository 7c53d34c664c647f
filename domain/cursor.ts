/**
 * Cursors of lists: the end of a page as an opaque text. Times have all the digits of the database,
 * which has microseconds: with the milliseconds of a `Date`, rows of the same millisecond would be on
 * no page or on two.
 */
import { type RawBuilder, sql } from "kysely";
import { ParleyError } from "../protocol/errors.ts";

/** The largest UUID: every row is below it. */
export const LAST_ID = "ffffffff-ffff-ffff-ffff-ffffffffffff";

/** The position of a row in a list that is ordered by a time and then by id. */
export interface TimePosition {
  /** ISO 8601 in UTC with microseconds, as `exactTime` gives it. */
  at: string;
  id: string;
}

/** A `timestamptz` column with all its digits, such as "2026-11-20T12:54:22.478123Z". */
export function exactTime(column: string | RawBuilder<unknown>): RawBuilder<string> {
  const time = typeof column === "string" ? sql.ref(column) : column;
  return sql<string>`to_char(${time} at time zone 'UTC', ${FORMAT})`;
}

const FORMAT = sql.lit('YYYY-MM-DD"T"HH24:MI:SS.US"Z"');

/** The cursor of a row in a list by id, or by time and id. */
export function toCursor(position: string | TimePosition): string {
  const text = typeof position === "string" ? position : `${position.at} ${position.id}`;
  return new TextEncoder().encode(text).toBase64({ alphabet: "base64url", omitPadding: true });
}

const UUID = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}";
const ID = new RegExp(`^${UUID}$`, "i");
/** Postgres has no year 0. Cursors of older versions have fewer digits, or no "Z". */
const TIME_POSITION = new RegExp(
  `^(?!0000)(\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d)(?:\\.(\\d{1,6}))?Z? (${UUID})$`,
);

/**
 * The id below which the next page of a list by id begins; undefined for the first page. Plain ids,
 * which older versions used in some lists, are accepted, too.
 *
 * @throws {ParleyError} `invalid` for anything but a cursor of such a list.
 */
export function idOfCursor(cursor: string | undefined): string | undefined {
  if (cursor === undefined) return undefined;
  const id = ID.test(cursor) ? cursor : decodeCursor(cursor);
  return ID.test(id) ? id : refuseCursor(cursor);
}

/**
 * The position below which the next page of a list by time begins; undefined for the first page.
 *
 * @throws {ParleyError} `invalid` for anything but a cursor of such a list.
 */
export function timeOfCursor(cursor: string | undefined): TimePosition | undefined {
  if (cursor === undefined) return undefined;
  return timeOfText(decodeCursor(cursor)) ?? refuseCursor(cursor);
}

/** The position in the text of a cursor; null for another text. */
export function timeOfText(text: string): TimePosition | null {
  const [, second, fraction = "", id] = TIME_POSITION.exec(text) ?? [];
  if (second === undefined || !isTime(second)) return null;
  return { at: `${second}.${fraction.padEnd(6, "0")}Z`, id: id! };
}

/** Removes the one extra row, which shows that there is a next page. */
export function cutPage<R>(
  rows: R[],
  limit: number,
  positionOf: (row: R) => string | TimePosition,
): { rows: R[]; nextCursor: string | null } {
  if (rows.length <= limit) return { rows, nextCursor: null };
  const page = rows.slice(0, limit);
  return { rows: page, nextCursor: toCursor(positionOf(page.at(-1)!)) };
}

/** The text of a cursor; "" for what is not base64url. */
export function decodeCursor(cursor: string): string {
  try {
    return new TextDecoder().decode(Uint8Array.fromBase64(cursor, { alphabet: "base64url" }));
  } catch {
    return "";
  }
}

/** False for 30 February, which `Date.parse` takes for 2 March and the database refuses. */
function isTime(second: string): boolean {
  const date = new Date(`${second}Z`);
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(second);
}

/** @throws {ParleyError} `invalid` */
export function refuseCursor(cursor: string): never {
  throw new ParleyError("invalid", `Cannot read the list: cursor "${cursor}" is not valid`, {
    fields: [{ path: "cursor", message: "must be a nextCursor of the same list" }],
  });
}
