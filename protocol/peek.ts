/** How deep an object is looked into: the envelope, and the object in it. */
const LEVELS = 2;

/** Characters of a value that is worth keeping: ids are short. */
const MAX_VALUE = 300;

/** Tokens that are read at most: envelopes have few, and a peer must not choose what a refusal costs. */
const MAX_TOKENS = 4096;

type Peeked = { [key: string]: string | number | Peeked };

/** One token after the white space before it; a string may have no end. */
const TOKEN = /[\s,:]*([{}[\]]|"(?:[^"\\]|\\.)*"?|[^\s,:{}[\]"]+)/sy;

/**
 * The short texts and numbers at the top of a JSON object that is broken, cut off or too large to be
 * parsed, and those one level below: enough to tell its sender what a refusal is about. Reads from
 * the beginning, as far as it can and no further than `max` characters; of two equal keys the first
 * counts.
 *
 * @example
 * ```ts
 * peek('{"type":"message","id":"c1","data":{"content":"…'); // {type: "message", id: "c1", data: {}}
 * ```
 */
export function peek(text: string, max = 262_144): Peeked {
  const top: Peeked = {};
  /** What the objects are that are open, outermost first; null: not looked into. */
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

/** A command's id, as native and scoped frames have it; undefined where there is none to repeat. */
export function idIn(value: unknown): string | number | undefined {
  const id = (value as { id?: unknown } | null)?.id;
  const isGood = typeof id === "string"
    ? id.length > 0 && id.length <= 64 && !id.includes("\0")
    : Number.isSafeInteger(id);
  return isGood ? id as string | number : undefined;
}
