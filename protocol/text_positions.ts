/** Positions in a text: Unicode code points, as in edits of shared texts, and UTF-16 code units. */

const SURROGATE = /[\ud800-\udfff]/;

/** How many code points a text has. */
export function lengthOf(text: string): number {
  if (!SURROGATE.test(text)) return text.length;
  let count = 0;
  for (let i = 0; i < text.length; i++) {
    if (isPair(text, i)) i++;
    count++;
  }
  return count;
}

/** The offset in UTF-16 code units of a position in code points. */
export function toIndex(text: string, position: number): number {
  if (!SURROGATE.test(text)) return Math.min(position, text.length);
  let index = 0;
  for (let i = 0; i < position && index < text.length; i++) index += isPair(text, index) ? 2 : 1;
  return index;
}

/** The position in code points of an offset in UTF-16 code units. */
export function toPosition(text: string, index: number): number {
  return lengthOf(text.slice(0, index));
}

function isPair(text: string, index: number): boolean {
  const unit = text.charCodeAt(index);
  if (unit < 0xd800 || unit > 0xdbff) return false;
  const next = text.charCodeAt(index + 1);
  return next >= 0xdc00 && next <= 0xdfff;
}
