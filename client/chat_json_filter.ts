import { ParleyClientError } from "./errors.ts";

type Operator = "=" | "!=" | ">" | "<" | ">=" | "<=" | "in";
interface Condition {
  column: string;
  operator: Operator;
  values: string[];
}
export type Row = Record<string, unknown>;

/** Two-character operators come before their one-character prefixes. */
const CONDITION = /^\s*([A-Za-z_]\w*)\s*(!=|>=|<=|=|>|<|in\b)\s*(.*?)\s*$/s;
const ISO_TIME = /^\d{4}-\d\d-\d\d([T ]\d\d:\d\d|$)/;

/**
 * Parses "column operator value" into a test of rows: `status=open`, `seq>=10`, `status !=
 * resolved`, `status in (open, waiting)`, or several of them joined by `&`, which all have to hold.
 * A value with `&`, `,`, `)`, or with spaces at its ends, has to be quoted: `name="Smith & Sons"`.
 *
 * Numbers are compared as numbers, times as times, everything else as text; the type is that of the
 * row's value. A column that the row does not have matches nothing, and null only matches `=null`.
 *
 * @throws {ParleyClientError} `invalid`
 */
export function createRowFilter(filter: string): (row: Row) => boolean {
  const conditions = split(filter, "&").map((text) => parseCondition(text, filter));
  return (row) => conditions.every((condition) => holds(condition, row));
}

function parseCondition(text: string, filter: string): Condition {
  const [, column, operator, rest = ""] = CONDITION.exec(text) ?? [];
  const isList = operator === "in";
  const list = isList ? /^\((.*)\)$/s.exec(rest)?.[1] : rest;
  // Two operators in a row are a mistake; a value that begins with an operator has to be quoted.
  if (column === undefined || list === undefined || /^\s*($|[=<>!])/.test(list)) {
    throw new ParleyClientError("invalid", `Cannot subscribe: not a filter: "${filter}"`);
  }
  const values = isList ? split(list, ",") : [list];
  return { column, operator: operator as Operator, values: values.map(unquote) };
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

function unquote(text: string): string {
  const trimmed = text.trim();
  return /^(["'])(.*)\1$/s.exec(trimmed)?.[2] ?? trimmed;
}

function holds({ column, operator, values }: Condition, row: Row): boolean {
  if (!Object.hasOwn(row, column)) return false;
  const orders = values.map((value) => compare(row[column], value));
  const [order] = orders;
  switch (operator) {
    case "in":
      return orders.includes(0);
    case "=":
      return order === 0;
    case "!=":
      return order !== 0;
    case ">":
      return order! > 0;
    case "<":
      return order! < 0;
    case ">=":
      return order! >= 0;
    case "<=":
      return order! <= 0;
  }
}

/**
 * Negative, 0 or positive as in sort; NaN where the two cannot be compared, which only matches
 * `!=`.
 */
function compare(actual: unknown, wanted: string): number {
  if (actual === null || actual === undefined) return wanted === "null" ? 0 : NaN;
  if (typeof actual === "number" || typeof actual === "bigint") {
    return wanted.trim() === "" ? NaN : Number(actual) - Number(wanted);
  }
  const text = typeof actual === "object" ? JSON.stringify(actual) : String(actual);
  if (ISO_TIME.test(text) && ISO_TIME.test(wanted)) return Date.parse(text) - Date.parse(wanted);
  return text === wanted ? 0 : text < wanted ? -1 : 1;
}
