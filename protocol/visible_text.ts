/**
 * Text that people typed, as other people see it: whether there is anything to see, names without
 * characters that act on the text around them, and parts of sentences that keep their direction.
 */

/**
 * A character that shows something: no space, control or format character, nothing that is ignored by
 * default, no combining mark without a base, and not the blank of Braille.
 */
const VISIBLE = /[^\s\p{Z}\p{Cc}\p{Cf}\p{M}\p{Default_Ignorable_Code_Point}\u2800]/u;

/** Embeddings, overrides and isolates: they change the direction of what follows. */
const DIRECTION_CONTROLS = /[\u202a-\u202e\u2066-\u2069]/g;

/** Characters after which a sentence in Latin letters may come out in another order. */
const MAY_REORDER =
  /[\u0590-\u08ff\u200e\u200f\u061c\u202a-\u202e\u2066-\u2069\ufb1d-\ufdff\ufe70-\ufefc\u{10800}-\u{10fff}\u{1e800}-\u{1efff}]/u;

const FIRST_STRONG_ISOLATE = "\u2068";
const POP_ISOLATE = "\u2069";

/** The error of text that shows nothing. */
export const NOTHING_VISIBLE = "must have a character that can be seen";

export function isVisible(text: string): boolean {
  return VISIBLE.test(text);
}

/**
 * A name, label or title as it is stored: without control characters and direction controls, spaces
 * and line breaks as one space. Joiners stay, which scripts and emoji need.
 */
export function cleanName(text: string): string {
  return text.toWellFormed().replace(DIRECTION_CONTROLS, "")
    // deno-lint-ignore no-control-regex -- what is removed
    .replace(/[\u0000-\u0008\u000e-\u001f\u007f-\u009f\ufeff]/g, "")
    .replace(/\s+/g, " ").trim();
}

/**
 * Text as a part of a sentence where there is no markup, such as the title of a page: it has its own
 * direction, and does not change that of the sentence. Text that cannot do so is returned as it is.
 */
export function isolate(text: string): string {
  if (!MAY_REORDER.test(text)) return text;
  return FIRST_STRONG_ISOLATE + text.replace(DIRECTION_CONTROLS, "") + POP_ISOLATE;
}
