import { ParleyError } from "./errors.ts";

function hasNul(value: unknown): boolean {
  if (typeof value === "string") return value.includes("\0");
  if (Array.isArray(value)) return value.some(hasNul);
  if (typeof value === "object" && value !== null) {
    return Object.entries(value).some(([key, entry]) => key.includes("\0") || hasNul(entry));
  }
  return false;
}

/**
 * Parses JSON from outside. U+0000 is refused anywhere, because Postgres cannot store it in text.
 *
 * @throws {ParleyError} `bad_json`
 */
export function parseJson(text: string): unknown {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new ParleyError("bad_json", "Cannot read the message: it is not valid JSON", { cause });
  }
  if (text.includes("\\u0000") && hasNul(value)) {
    throw new ParleyError("bad_json", "Cannot read the message: it contains the character U+0000");
  }
  return value;
}
