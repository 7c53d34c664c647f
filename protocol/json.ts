import { type FieldError, ParleyError } from "./errors.ts";

/** How deep a value may be nested, because of the limits of Postgres and of the stack. */
const MAX_DEPTH = 64;

/**
 * Finds what may not survive parsing or storing: U+0000, half of a surrogate pair, a key `__proto__` in
 * any notation, and numbers that a double cannot hold. Text without any of them need not be checked
 * further.
 */
const SUSPECT = /\\u(?:0000|[dD][89a-fA-F]|005[fF])|__proto__|\d{16}|[eE][+-]?\d{3}/;

const SUSPECT_NUMBER = /\d{16}|[eE][+-]?\d{3}/;

/** Decimal digits that every double keeps. */
const SAFE_DIGITS = 15;

export interface ParseOptions {
  /** Also refuses what is nested too deep to be stored. */
  bounded?: boolean;
  /**
   * Paths of text that people typed ("data.content"): there half of a surrogate pair, which a program
   * may have cut off, is replaced as a browser would when it encodes the text. Elsewhere it is
   * refused.
   */
  text?: readonly string[];
  /** Paths in errors are relative to this one, such as "data"; default: the whole. */
  root?: string;
}

/** A number that would change by parsing, with its source text. */
class Lossy {
  constructor(readonly source: string) {}
}

/**
 * Parses JSON from outside. What would silently become another value is refused by its path: integers
 * that no double can hold, numbers beyond all doubles, half of a surrogate pair, keys `__proto__`,
 * and U+0000, which Postgres cannot store.
 *
 * @throws {ParleyError} `bad_json` for what is no JSON, nested too deep, or has U+0000; `invalid`
 * with the path for the other values.
 */
export function parseJson(text: string, options: ParseOptions = {}): unknown {
  const suspect = SUSPECT.test(text);
  let value: unknown;
  try {
    value = suspect && SUSPECT_NUMBER.test(text) ? JSON.parse(text, markLossy) : JSON.parse(text);
  } catch (cause) {
    throw new ParleyError("bad_json", "Cannot read the message: it is not valid JSON", { cause });
  }
  return options.bounded || suspect ? checkValue(value, options) : value;
}

/**
 * The same checks for a value that was parsed elsewhere, as far as they are still possible.
 *
 * @throws {ParleyError} as `parseJson`
 */
export function checkParsed(value: unknown, options: ParseOptions = {}): unknown {
  return checkValue(value, options, true);
}

function markLossy(
  this: unknown,
  _key: string,
  value: unknown,
  context?: { source?: string },
): unknown {
  if (typeof value !== "number" || context?.source === undefined) return value;
  return isLossyNumber(context.source) ? new Lossy(context.source) : value;
}

/**
 * Whether a number in this notation would change by parsing. Fractions may become the nearest double;
 * integers have to stay exact.
 */
export function isLossyNumber(source: string): boolean {
  const value = Number(source);
  if (!Number.isFinite(value)) return true;
  const digits = source.replace(/[eE].*$/, "").replace(/[-+.]/g, "").replace(/^0+|0+$/g, "");
  if (value === 0) return digits !== "";
  return Math.abs(value) > Number.MAX_SAFE_INTEGER && digits.length > SAFE_DIGITS;
}

function checkValue(
  value: unknown,
  { text: typed = [], root }: ParseOptions,
  parsed = false,
): unknown {
  function walk(value: unknown, path: string, depth: number): unknown {
    if (typeof value === "string") return readText(value, path);
    if (typeof value === "number") {
      if (parsed && !Number.isFinite(value)) {
        throw wouldChange(path, "is larger than numbers can be");
      }
      if (parsed && Number.isInteger(value) && !Number.isSafeInteger(value)) {
        throw wouldChange(path, `is ${value}, which may have been another number: send it as text`);
      }
      return value;
    }
    if (typeof value !== "object" || value === null) return value;
    if (value instanceof Lossy) {
      const became = Number(value.source);
      const what = Number.isFinite(became) ? `would become ${became}` : "is too large for a number";
      throw wouldChange(path, `is ${clipped(value.source)}, which ${what}: send it as text`);
    }
    if (depth >= MAX_DEPTH) {
      const sentence = `Cannot read the message: it is nested over ${MAX_DEPTH} deep`;
      throw new ParleyError("bad_json", sentence);
    }
    const at = (key: string | number) => path === "" ? `${key}` : `${path}.${key}`;
    if (Array.isArray(value)) return value.map((entry, i) => walk(entry, at(i), depth + 1));
    return Object.fromEntries(
      Object.entries(value).map(([key, entry]) => {
        if (key === "__proto__") throw wouldChange(at(key), "is a key that cannot be kept");
        if (!key.isWellFormed()) throw wouldChange(at(key.toWellFormed()), HALF);
        if (key.includes("\0")) throw hasNul(at(key.replaceAll("\0", "\\u0000")));
        return [key, walk(entry, at(key), depth + 1)];
      }),
    );
  }

  function readText(text: string, path: string): string {
    if (text.includes("\0")) throw hasNul(path);
    if (text.isWellFormed()) return text;
    if (!typed.includes(path)) throw wouldChange(path, HALF);
    return text.toWellFormed();
  }

  function fields(path: string, message: string): FieldError[] {
    const isBelow = root !== undefined && (path === root || path.startsWith(`${root}.`));
    return [{ path: isBelow ? path.slice(root.length + 1) : path, message }];
  }

  function wouldChange(path: string, message: string): ParleyError {
    const sentence = `Cannot read the message: "${path}" ${message}`;
    return new ParleyError("invalid", sentence, { fields: fields(path, message) });
  }

  function hasNul(path: string): ParleyError {
    const sentence = "Cannot read the message: it contains the character U+0000";
    return new ParleyError("bad_json", sentence, {
      fields: fields(path, "contains the character U+0000"),
    });
  }

  return walk(value, "", 0);
}

const HALF = "has half of a surrogate pair";

const clipped = (text: string) => text.length <= 40 ? text : `${text.slice(0, 40)}…`;
