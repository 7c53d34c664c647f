/**
 * Evaluates the conditions of rules. The engine and the page that edits rules use the same functions,
 * so that a trial there shows what will happen.
 */
import type { RuleCondition } from "./model.ts";
import { matchesPage } from "./page_glob.ts";

/** The input of an evaluation: the visitor's page, and their message if they wrote one. */
export interface RuleInput {
  /** null: not known. */
  url: string | null;
  /** null: they opened the page and wrote nothing. */
  message: string | null;
}

/** Characters of a message in which keywords are looked for. */
const MAX_SEARCHED = 5_000;

/**
 * Whether all conditions hold. A rule with a condition on messages is for messages only, one without
 * for pages only; a rule without conditions never holds.
 */
export function holds(conditions: readonly RuleCondition[], cause: RuleInput): boolean {
  const onMessages = conditions.some(({ kind }) => kind === "message");
  if (conditions.length === 0 || onMessages !== (cause.message !== null)) return false;
  return conditions.every((condition) => {
    switch (condition.kind) {
      case "page_url":
        return cause.url !== null && matchesPage(condition.globs, cause.url);
      case "message":
        return hasKeyword(condition.keywords, cause.message!);
      default:
        // A kind of a later version.
        return false;
    }
  });
}

/** Whether the text has one of these words or phrases as a whole, ignoring case and accents. */
export function hasKeyword(keywords: readonly string[], text: string): boolean {
  const searched = fold(text.slice(0, MAX_SEARCHED));
  return keywords.some((keyword) => {
    const pattern = patternOf(keyword);
    return pattern !== null && pattern.test(searched);
  });
}

/** "Größe" and "GROSSE" become the same, as do all kinds of spaces and apostrophes. */
function fold(text: string): string {
  return text.normalize("NFKD").replace(/\p{M}/gu, "").replace(/[’‘ʼ`´]/g, "'")
    .toUpperCase().toLowerCase().replace(/\s+/g, " ");
}

/** Scripts without spaces between words. */
const UNSPACED = "\\p{scx=Han}\\p{scx=Hira}\\p{scx=Kana}\\p{scx=Thai}\\p{scx=Laoo}\\p{scx=Khmr}" +
  "\\p{scx=Mymr}";
const LETTER = `[[\\p{L}\\p{N}_]--[${UNSPACED}]]`;
const startsWithLetter = new RegExp(`^${LETTER}`, "v");
const endsWithLetter = new RegExp(`${LETTER}$`, "v");

const patterns = new Map<string, RegExp | null>();
const MAX_PATTERNS = 5_000;

/** Where the keyword begins or ends with a letter, the text must not continue with one. */
function patternOf(keyword: string): RegExp | null {
  let pattern = patterns.get(keyword);
  if (pattern === undefined) {
    const word = fold(keyword).trim();
    const before = startsWithLetter.test(word) ? `(?<!${LETTER})` : "";
    const after = endsWithLetter.test(word) ? `(?!${LETTER})` : "";
    pattern = word === "" ? null : new RegExp(before + escape(word) + after, "v");
    if (patterns.size >= MAX_PATTERNS) patterns.clear();
    patterns.set(keyword, pattern);
  }
  return pattern;
}

function escape(text: string): string {
  const hex = (char: string) => `\\x${char.charCodeAt(0).toString(16).padStart(2, "0")}`;
  return text.replace(/[!-/:-@[-`{-~]/g, hex);
}
