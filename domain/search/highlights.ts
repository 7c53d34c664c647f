/**
 * Where in a text the words of a query are. The database decides what is found (010_search.ts); here
 * the words are located in the original text by the same rules: case and accents are ignored, and
 * each word of the query is the beginning of a word.
 */
import type { Marked, Range } from "../../protocol/search.ts";

/** Characters of scripts without spaces between words; each is a word of its own. */
const UNSPACED =
  /[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\u{20000}-\u{3ffff}]/u;
const WORD = /[\p{L}\p{N}\p{M}]+/gu;

/** Characters of a snippet, and how many of them are before the first match. */
const SNIPPET = 160;
const LEAD = 48;

/** Letters that Unicode does not decompose. */
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
};

/** A text without case and accents, as words are compared. */
export function fold(text: string): string {
  return text.normalize("NFKD").replace(/[\u0300-\u036f]+/gu, "").toLowerCase()
    .replace(/[øłđðħıςßæœ]/g, (letter) => OTHERS[letter]!);
}

/** Search terms: beginnings of words, whole single letters, and runs of unspaced characters. */
export function termsOf(query: string): string[] {
  const terms = [...fold(query).matchAll(WORD)].flatMap(([word]) => splitByScript(word));
  return [...new Set(terms)];
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

/** The matches in a text, in order, adjacent ones merged. */
export function rangesOf(text: string, terms: readonly string[]): Range[] {
  const found: Range[] = [];
  for (const match of text.matchAll(WORD)) {
    const { folded, origins } = foldWithOrigins(match[0], match.index);
    for (const term of terms) {
      const free = UNSPACED.test(term);
      for (let at = folded.indexOf(term); at !== -1; at = folded.indexOf(term, at + 1)) {
        const inside = at > 0 && !UNSPACED.test(folded[at - 1]!);
        const single = term.length === 1 && !/\p{N}/u.test(term) && folded.length > 1;
        if (!free && (inside || single)) continue;
        found.push({ start: origins[at]!, end: origins[at + term.length]! });
      }
    }
  }
  found.sort((a, b) => a.start - b.start || b.end - a.end);
  const ranges: Range[] = [];
  for (const range of found) {
    const last = ranges.at(-1);
    if (last !== undefined && range.start <= last.end) last.end = Math.max(last.end, range.end);
    else if (range.end > range.start) ranges.push({ ...range });
  }
  return ranges;
}

/** A folded word, and for each of its code units the offset in the text; the last is the end. */
function foldWithOrigins(word: string, start: number): { folded: string; origins: number[] } {
  let folded = "";
  const origins: number[] = [];
  let at = start;
  for (const character of word) {
    const part = fold(character);
    for (let i = 0; i < part.length; i++) origins.push(at);
    folded += part;
    at += character.length;
    // A combining character belongs to the letter before it.
  }
  origins.push(at);
  return { folded, origins };
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
