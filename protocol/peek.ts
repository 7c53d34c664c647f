/** Levels that are read: the envelope, and the object in it. */
const LEVELS = 2;

/** Longest value that is kept: ids are short. */
const MAX_VALUE = 300;

/** Tokens that are read: envelopes have few, and the cost of a refusal has to be bounded. */
const MAX_TOKENS = 4096;

type Peeked = { [key: string]: string | number | Peeked };

/** One token after the white space before it; a string may have no end. */
const TOKEN = /[\s,:]*([{}[\]]|"(?:[^"\\]|\\.)*"?|[^\s,:{}[\]"]+)/sy;

/**
 * The short texts and numbers of a JSON object that is invalid, truncated or too large to parse, and
 * those one level below: enough to name the frame in an error. Reads from the beginning, as far as
 * possible and at most `max` characters; of two equal keys the first one counts.
 *
 * @example
 * ```ts
 * peek('{"type":"message","id":"c1","data":{"content":"…'); // {type: "message", id: "c1", data: {}}
 * ```
 */
export function peek(text: string, max = 262_144): Peeked {
  const top: Peeked = {};
  /** Open objects and arrays, outermost first; `into` null: not read. */
  const open: { into: Peeked | null; isArray: boolean }[] = [];
  let key: string | null = null;
  TOKEN.lastIndex = 0;
  for (let tokens = 0; tokens < MAX_TOKENS && TOKEN.lastIndex < max; tokens++) {
    const token = TOKEN.exec(text)?.[1];
    if (token === undefined) break;
    const parent = open.at(-1);
    if (token === "{" || token === "[") {
      let into: Peeked | null = null;
      if (token === "{" && open.length === 0) into = top;
      else if (token === "{" && parent?.into && key !== null && open.length < LEVELS) {
        into = keep(parent.into, key, {}) ? parent.into[key] as Peeked : null;
      }
      open.push({ into, isArray: token === "[" });
      key = null;
    } else if (token === "}" || token === "]") {
      open.pop();
      key = null;
      if (open.length === 0) break;
    } else if (open.length === 0) {
      break;
    } else if (!parent!.isArray && key === null) {
      key = String(read(token) ?? "");
    } else {
      const value = key === null ? null : read(token);
      if (value !== null && parent!.into !== null) keep(parent!.into, key!, value);
      key = null;
    }
  }
  return top;
}

function keep(into: Peeked, key: string, value: Peeked[string]): boolean {
  if (key === "__proto__" || Object.hasOwn(into, key)) return false;
  into[key] = value;
  return true;
}

/** A short text or a number; null for everything else. */
function read(token: string): string | number | null {
  if (token.length > MAX_VALUE) return null;
  try {
    const value: unknown = JSON.parse(token);
    return typeof value === "string" || typeof value === "number" ? value : null;
  } catch {
    return null;
  }
}

/** A command's id, as in native and scoped frames; undefined where there is no valid one. */
export function idIn(value: unknown): string | number | undefined {
  const id = (value as { id?: unknown } | null)?.id;
  const isGood = typeof id === "string"
    ? id.length > 0 && id.length <= 64 && !id.includes("\0")
    : Number.isSafeInteger(id);
  return isGood ? id as string | number : undefined;
}
