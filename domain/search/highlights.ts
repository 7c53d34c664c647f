/**
 * Where in a text the words of a query are. The database decides what is found
 * (db/migrations/110_search_inside_words.ts); here the words are located in the original text by the
 * same rules: case, accents, vowel marks, apostrophes and hyphens are ignored, and each word of the
 * query is a part of a word.
 */
import type { Marked, Range } from "../../protocol/search.ts";

/** Characters of scripts without spaces between words; each is a word of its own. */
const UNSPACED =
  /[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\u{20000}-\u{3ffff}]/u;
const LETTERS = "[\\p{L}\\p{N}\\p{M}\\u00ad\\u200b-\\u200f\\u2060\\ufeff]+";
/** Apostrophes, hyphens and what stands for them, between two letters. */
const JOINER =
  "['\\u0060\\u00b4\\u2018\\u2019\\u02b9\\u02bc\\u2032\\u2010\\u2011\\u2013\\u05be\\u05f3\\u05f4\\u00b7-]";
const COMPOUND = new RegExp(`${LETTERS}(?:${JOINER}${LETTERS})*`, "gu");
const JOINERS = new RegExp(JOINER, "gu");
/** What is written or left out, as in the migration. */
const MARKS =
  /[\u0300-\u036f\u0483-\u0489\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u0610-\u061a\u0640\u064b-\u065f\u0670\u06d6-\u06dc\u06df-\u06e8\u06ea-\u06ed\u0711\u0730-\u074a\u08d3-\u08ff\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe00-\ufe0f\ufe20-\ufe2f\u00ad\u200b-\u200f\u2060\ufeff]+/gu;

/** Characters of a snippet, and how many of them are before the first match. */
const SNIPPET = 160;
const LEAD = 48;

/** Letters that Unicode does not decompose, and those of Arabic that are written alike. */
const OTHERS: Record<string, string> = {
  ø: "o",
  ł: "l",
  đ: "d",
  ð: "d",
  ħ: "h",
  ı: "i",
  ς: "σ",
  ß: "ss",
  æ: "ae",
  œ: "oe",
  ى: "ي",
  ی: "ي",
  ک: "ك",
  ٱ: "ا",
};

/** A text without case, accents and vowel marks, as words are compared. */
export function fold(text: string): string {
  return text.normalize("NFKD").replace(MARKS, "").toLowerCase()
    .replace(/[øłđðħıςßæœىیکٱ]/g, (letter) => OTHERS[letter]!);
}

/** Between the parts of a compound in a term. */
const JOINED = "\u0002";

/**
 * Search terms: parts of words, compounds with `JOINED` between their parts, whole single letters, and
 * runs of unspaced characters.
 */
export function termsOf(query: string): string[] {
  const words = [...query.normalize("NFKD").matchAll(COMPOUND)]
    .map(([word]) => fold(word.replace(JOINERS, JOINED)));
  const terms = words.flatMap(splitByScript)
    .map((term) => term.split(JOINED).filter((part) => part !== "").join(JOINED));
  return [...new Set(terms)].filter((term) => term !== "");
}

/** Splits a word where the script changes to one without spaces or back. */
function splitByScript(word: string): string[] {
  const parts: string[] = [];
  let unspaced: boolean | null = null;
  for (const character of word) {
    const now = UNSPACED.test(character);
    if (now === unspaced) parts[parts.length - 1] += character;
    else parts.push(character);
    unspaced = now;
  }
  return parts;
}

/** Letters of the shortest part of a word that is looked for inside of it. */
// deno-lint-ignore no-control-regex -- ASCII, as in the migration
const shortest = (term: string) => /^[\x00-\x7f]*$/.test(term) ? 3 : 2;

/** The matches in a text, in order, adjacent ones merged. */
export function rangesOf(text: string, terms: readonly string[]): Range[] {
  const found = terms.flatMap((term) => {
    const whole = placesOf(text, term.replaceAll(JOINED, ""));
    // "re-open" is found in "re open", too.
    return whole.length > 0 || !term.includes(JOINED)
      ? whole
      : term.split(JOINED).flatMap((part) => placesOf(text, part));
  });
  found.sort((a, b) => a.start - b.start || b.end - a.end);
  const ranges: Range[] = [];
  for (const range of found) {
    const last = ranges.at(-1);
    if (last !== undefined && range.start <= last.end) last.end = Math.max(last.end, range.end);
    else if (range.end > range.start) ranges.push({ ...range });
  }
  return ranges;
}

/** Where one word of the query is. */
function placesOf(text: string, term: string): Range[] {
  const found: Range[] = [];
  const isFree = UNSPACED.test(term) || term.length >= shortest(term);
  const isSingle = term.length === 1 && !/\p{N}/u.test(term) && !UNSPACED.test(term);
  for (const match of text.matchAll(COMPOUND)) {
    const { folded, origins, starts } = foldWithOrigins(match[0], match.index);
    for (let at = folded.indexOf(term); at !== -1; at = folded.indexOf(term, at + 1)) {
      if (!isFree && !starts.has(at)) continue;
      if (isSingle && !starts.has(at + 1)) continue;
      found.push({ start: origins[at]!, end: origins[at + term.length]! });
    }
  }
  return found;
}

/**
 * A folded compound without its apostrophes and hyphens; for each of its code units the offset in the
 * text, and the last is the end; where its words begin, and where it ends.
 */
function foldWithOrigins(word: string, start: number) {
  let folded = "";
  const origins: number[] = [];
  const starts = new Set([0]);
  let at = start;
  let end = start;
  for (const character of word) {
    const isJoiner = new RegExp(`^${JOINER}$`, "u").test(character);
    const part = isJoiner ? "" : fold(character);
    if (isJoiner) starts.add(folded.length);
    for (let i = 0; i < part.length; i++) origins.push(at);
    // Characters of unspaced scripts are words.
    if (UNSPACED.test(character)) starts.add(folded.length).add(folded.length + part.length);
    folded += part;
    at += character.length;
    // A mark belongs to the letter before it, and a joiner to none.
    if (!isJoiner) end = at;
  }
  origins.push(end);
  starts.add(folded.length);
  return { folded, origins, starts };
}

export function highlight(text: string, terms: readonly string[]): Marked {
  return { text, ranges: rangesOf(text, terms) };
}

/** The part of a text around the first match, on one line. */
export function snippet(text: string, terms: readonly string[]): Marked {
  const first = rangesOf(text, terms)[0]?.start ?? 0;
  let start = first <= LEAD ? 0 : first - LEAD;
  if (start > 0) {
    // Begins with a word, where one begins nearby.
    const space = text.slice(start, first).search(/\s/);
    if (space !== -1) start += space + 1;
  }
  let end = Math.min(text.length, start + SNIPPET);
  if (isInside(text, start)) start--;
  if (isInside(text, end)) end--;
  const part = text.slice(start, end).replace(/\s/gu, " ").trimEnd();
  const shown = `${start > 0 ? "…" : ""}${part}${end < text.length ? "…" : ""}`;
  return highlight(shown, terms);
}

/** Whether a position is between the halves of a surrogate pair. */
function isInside(text: string, at: number): boolean {
  const code = text.charCodeAt(at);
  return at > 0 && at < text.length && code >= 0xdc00 && code <= 0xdfff;
}
