/**
 * Filters of table subscriptions: `status=open & last_seq>=10`. The grammar is that of the client for
 * chat JSON; here columns have types, and wrong values are errors.
 */
import { isLossyNumber } from "../../protocol/json.ts";
import { ParleyError } from "../../protocol/errors.ts";
import type { TableRow } from "../../protocol/tables.ts";
import type { ColumnType } from "./catalogue.ts";

export type Operator = "=" | "!=" | ">" | "<" | ">=" | "<=" | "in";
/** In the form that is compared: times as ISO 8601 in UTC, ids in lower case. */
export type Value = string | number | boolean | null;

export interface Condition {
  column: string;
  operator: Operator;
  values: Value[];
}

/** Conditions in one filter, and values of one `in`. */
const MAX_CONDITIONS = 10;
const MAX_VALUES = 100;

/** Operators of two characters come first, because they begin with others. */
const CONDITION = /^\s*([A-Za-z_]\w*)\s*(!=|>=|<=|=|>|<|in\b)\s*(.*?)\s*$/s;
const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i;
const TIME = /^(\d{4}-\d\d-)(\d\d)(?:[T ](\d\d:\d\d(?::\d\d(?:\.\d+)?)?)(Z|[+-]\d\d:\d\d)?)?$/i;

/**
 * Reads a filter for rows with these columns.
 *
 * @throws {ParleyError} `invalid`, which names the column or the value that is wrong.
 */
export function parseFilter(
  filter: string | readonly string[],
  columns: Readonly<Record<string, ColumnType>>,
): Condition[] {
  const texts = typeof filter === "string" ? [filter] : filter;
  const parts = texts.filter((text) => text.trim() !== "").flatMap((text) => split(text, "&"));
  if (parts.length > MAX_CONDITIONS) {
    throw refuse(`has ${parts.length} conditions, more than ${MAX_CONDITIONS}`);
  }
  return parts.map((part) => parseCondition(part, columns));
}

function parseCondition(
  text: string,
  columns: Readonly<Record<string, ColumnType>>,
): Condition {
  const [, column, operator, rest = ""] = CONDITION.exec(text) ?? [];
  const list = operator === "in" ? /^\((.*)\)$/s.exec(rest)?.[1] : rest;
  // Two operators in a row are a mistake; a value that begins with one has to be quoted.
  if (column === undefined || list === undefined || list === "" || /^[=<>!]/.test(list)) {
    throw refuse(`"${text.trim()}" is not "column operator value"`);
  }
  if (!Object.hasOwn(columns, column)) throw refuse(`there is no column "${column}"`);
  const type = columns[column]!;
  if (type === "json") throw refuse(`column "${column}" cannot be compared`);
  const texts = operator === "in" ? split(list, ",") : [list];
  if (texts.length > MAX_VALUES) {
    throw refuse(`"${column}" has ${texts.length} values, more than ${MAX_VALUES}`);
  }
  const values = texts.map((entry) => parseValue(column, type, entry.trim()));
  const ordered = operator !== "=" && operator !== "!=" && operator !== "in";
  if (ordered && (values[0] === null || type === "boolean")) {
    throw refuse(`"${column}" cannot be compared with "${rest}" by "${operator}"`);
  }
  return { column, operator: operator as Operator, values };
}

function parseValue(column: string, type: ColumnType, text: string): Value {
  const quoted = /^(["'])(.*)\1$/s.exec(text);
  if (quoted === null && text === "null") return null;
  const value = quoted?.[2] ?? text;
  const bad = (what: string) => refuse(`"${value}" is not ${what}, as "${column}" is`);
  switch (type) {
    case "number":
      if (!NUMBER.test(value)) throw bad("a number");
      if (isLossyNumber(value)) throw bad("a number that can be compared");
      return Number(value);
    case "boolean":
      if (value !== "true" && value !== "false") throw bad("true or false");
      return value === "true";
    case "time": {
      const time = parseTime(value);
      if (time === null) throw bad("a time (ISO 8601)");
      return time;
    }
    case "id":
      if (!UUID.test(value)) throw bad("a UUID");
      return value.toLowerCase();
    case "session":
      return UUID.test(value) ? value.toLowerCase() : value;
    default:
      if (value === "" && quoted === null) throw bad("text; an empty one is written in quotes");
      return value;
  }
}

/** A date means its begin, and a time without a zone is UTC. null: no such time. */
function parseTime(text: string): string | null {
  const [, month, day, clock = "00:00", zone = "Z"] = TIME.exec(text) ?? [];
  if (month === undefined || day === undefined) return null;
  // Otherwise a day that the month does not have would become one of the next month.
  const date = new Date(`${month}${day}T00:00Z`);
  const time = new Date(`${month}${day}T${clock}${zone.toUpperCase()}`);
  if (Number.isNaN(time.getTime()) || date.getUTCDate() !== Number(day)) return null;
  return time.toISOString();
}

/** Splits at a character, except within quotes. */
function split(text: string, separator: string): string[] {
  const parts = [""];
  let quote = "";
  for (const character of text) {
    if (quote === "" && character === separator) {
      parts.push("");
      continue;
    }
    if (quote === "" && (character === '"' || character === "'")) quote = character;
    else if (character === quote) quote = "";
    parts[parts.length - 1] += character;
  }
  return parts;
}

export function refuse(message: string): ParleyError {
  return new ParleyError("invalid", `Cannot subscribe: the filter is not valid: ${message}`, {
    fields: [{ path: "filter", message }],
  });
}

/** Whether a row matches all conditions. null equals only null, and cannot be ordered. */
export function fits(conditions: readonly Condition[], row: TableRow): boolean {
  return conditions.every((condition) => holds(condition, row[condition.column] ?? null));
}

function holds({ operator, values }: Condition, actual: unknown): boolean {
  const wanted = values[0]!;
  switch (operator) {
    case "in":
      return values.includes(actual as Value);
    case "=":
      return actual === wanted;
    case "!=":
      return actual !== wanted;
    default:
      return actual !== null && isOrdered(operator, actual as Ordered, wanted as Ordered);
  }
}

/** Of one kind with what it is compared with; for the language both are strings here. */
type Ordered = string;

function isOrdered(operator: ">" | "<" | ">=" | "<=", actual: Ordered, wanted: Ordered): boolean {
  switch (operator) {
    case ">":
      return actual > wanted;
    case "<":
      return actual < wanted;
    case ">=":
      return actual >= wanted;
    case "<=":
      return actual <= wanted;
  }
}

/** The same for filters that say the same. */
export function canonical(conditions: readonly Condition[]): string {
  return JSON.stringify(
    conditions.map(({ column, operator, values }) => [column, operator, ...values])
      .map((entry) => JSON.stringify(entry)).sort(),
  );
}
