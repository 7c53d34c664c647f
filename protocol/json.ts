import { ParleyError } from "./errors.ts";

/** How deep a value may be nested where it is walked through or stored: Postgres and stacks end. */
const MAX_DEPTH = 64;

/**
 * Half of a surrogate pair is replaced, as a browser would when it encodes the text; Postgres takes
 * neither that nor U+0000.
 */
function cleaned(value: unknown, depth = 0): unknown {
  if (typeof value === "string") {
    if (value.includes("\0")) {
      throw new ParleyError(
        "bad_json",
        "Cannot read the message: it contains the character U+0000",
      );
    }
    return value.toWellFormed();
  }
  if (typeof value !== "object" || value === null) return value;
  if (depth >= MAX_DEPTH) {
    throw new ParleyError(
      "bad_json",
      `Cannot read the message: it is nested over ${MAX_DEPTH} deep`,
    );
  }
  if (Array.isArray(value)) return value.map((entry) => cleaned(entry, depth + 1));
  return Object.fromEntries(
    Object.entries(value).map(([key, entry]) => [cleaned(key), cleaned(entry, depth + 1)]),
  );
}

/** What only an escape can bring into text that was decoded from UTF-8: U+0000, half a pair. */
const SUSPECT = /\\u(?:0000|[dD][89a-fA-F])/;

/**
 * Parses JSON from outside. U+0000 is refused anywhere, because Postgres cannot store it in text.
 *
 * @param bounded also refuses what is nested too deep to be stored.
 * @throws {ParleyError} `bad_json`
 */
export function parseJson(text: string, { bounded = false } = {}): unknown {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new ParleyError("bad_json", "Cannot read the message: it is not valid JSON", { cause });
  }
  return bounded || SUSPECT.test(text) ? cleaned(value) : value;
}
