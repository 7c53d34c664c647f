/**
 * Cursors of lists: where a page ends, as a text that means nothing to whoever asks for the next
 * page with it. A place in time has all the digits of the database, which counts microseconds. With
 * the milliseconds of a `Date`, rows of the same millisecond would be on no page or on two.
 */
import { type RawBuilder, sql } from "kysely";
import { ParleyError } from "../protocol/errors.ts";

/** The last id there can be: every row is below it. */
export const LAST_ID = "ffffffff-ffff-ffff-ffff-ffffffffffff";

/** Where a row stands in a list that is ordered by a time and then by id. */
export interface TimePlace {
  /** ISO 8601 in UTC with microseconds, as `exactTime` gives it. */
  at: string;
  id: string;
}

/** A `timestamptz` column with all its digits, such as "2026-11-20T12:54:22.478123Z". */
export function exactTime(column: string): RawBuilder<string> {
  return sql<string>`to_char(${sql.ref(column)} at time zone 'UTC', ${FORMAT})`;
}

const FORMAT = sql.lit('YYYY-MM-DD"T"HH24:MI:SS.US"Z"');

/** The cursor of a row in a list by id, or by time and id. */
export function toCursor(place: string | TimePlace): string {
  const text = typeof place === "string" ? place : `${place.at} ${place.id}`;
  return new TextEncoder().encode(text).toBase64({ alphabet: "base64url", omitPadding: true });
}

const UUID = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}";
const ID = new RegExp(`^${UUID}$`, "i");
/** Postgres has no year 0. Older versions gave out fewer digits, or no "Z". */
const TIME_PLACE = new RegExp(
  `^(?!0000)(\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d)(?:\\.(\\d{1,6}))?Z? (${UUID})$`,
);

/**
 * The id below which the next page of a list by id begins; undefined for the first page. Older
 * versions gave out plain ids for some lists, which are read as well.
 *
 * @throws {ParleyError} `invalid` for what is no cursor of such a list.
 */
export function idOfCursor(cursor: string | undefined): string | undefined {
  if (cursor === undefined) return undefined;
  const id = ID.test(cursor) ? cursor : decode(cursor);
  return ID.test(id) ? id : refuse(cursor);
}

/**
 * The place below which the next page of a list by time begins; undefined for the first page.
 *
 * @throws {ParleyError} `invalid` for what is no cursor of such a list.
 */
export function placeOfCursor(cursor: string | undefined): TimePlace | undefined {
  if (cursor === undefined) return undefined;
  const [, second, fraction = "", id] = TIME_PLACE.exec(decode(cursor)) ?? refuse(cursor);
  if (!isTime(second!)) refuse(cursor);
  return { at: `${second}.${fraction.padEnd(6, "0")}Z`, id: id! };
}

/** Cuts off the one row more than was asked for, which tells that there is a next page. */
export function cutPage<R>(
  rows: R[],
  limit: number,
  placeOf: (row: R) => string | TimePlace,
): { rows: R[]; nextCursor: string | null } {
  if (rows.length <= limit) return { rows, nextCursor: null };
  const page = rows.slice(0, limit);
  return { rows: page, nextCursor: toCursor(placeOf(page.at(-1)!)) };
}

/** "" for what is not base64url. */
function decode(cursor: string): string {
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

function refuse(cursor: string): never {
  throw new ParleyError("invalid", `Cannot read the list: cursor "${cursor}" is not valid`, {
    fields: [{ path: "cursor", message: "must be a nextCursor of the same list" }],
  });
}
