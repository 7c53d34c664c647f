/** Names in the environment that were meant as a setting. */
import { SettingsError } from "./error.ts";

/** No other program has variables of this kind. */
const OWN_PREFIXES = ["LIMIT_"];
/** Shorter names are too near to those of other programs. */
const MIN_LENGTH = 8;
const MAX_EDITS = 2;

/**
 * Refuses names that begin like a setting or are nearly one's.
 *
 * @throws {SettingsError} with the name that was probably meant.
 */
export function refuseMisspelt(environment: string[], known: ReadonlySet<string>): void {
  for (const name of environment) {
    if (known.has(name)) continue;
    const meant = nearest(name, known);
    if (meant === undefined && !OWN_PREFIXES.some((prefix) => name.startsWith(prefix))) continue;
    const hint = meant === undefined ? "there is no such setting" : `did you mean ${meant}?`;
    throw new SettingsError(`Cannot start: setting ${name} is not known: ${hint}`);
  }
}

function nearest(name: string, known: ReadonlySet<string>): string | undefined {
  return [...known].filter((other) => other.length >= MIN_LENGTH)
    .find((other) => edits(name.toUpperCase(), other, MAX_EDITS) <= MAX_EDITS);
}

/** How many single-letter edits lead from a to b (Levenshtein), at most `max` + 1. */
function edits(a: string, b: string, max: number): number {
  if (Math.abs(a.length - b.length) > max) return max + 1;
  let previous = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1;
      row.push(Math.min(previous[j]! + 1, row[j - 1]! + 1, previous[j - 1]! + same));
    }
    previous = row;
  }
  return previous[b.length]!;
}
