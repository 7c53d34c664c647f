import { contrast, textOn } from "../../widget/loader/color.ts";

/**
 * Properties of an accent: which text the widget puts on it, and whether it has enough contrast.
 */
export interface AccentHint {
  tone: "good" | "warn";
  text: string;
}

/** The contrast that shapes need against their surroundings (WCAG 2.2, 1.4.11). */
const SHAPE = 3;

export function isHex(text: string): boolean {
  return /^#[0-9a-f]{6}$/i.test(text);
}

/** "4f46e5" and "#4F46E5" → "#4f46e5"; "#46e" → "#4466ee"; anything else as it is. */
export function readHex(text: string): string {
  const typed = text.trim().replace(/^#?/, "#").toLowerCase();
  const short = /^#([0-9a-f])([0-9a-f])([0-9a-f])$/.exec(typed);
  if (short !== null) return "#" + short.slice(1).map((digit) => digit + digit).join("");
  return isHex(typed) ? typed : text.trim();
}

/** `accent` is "#rrggbb". */
export function accentHint(accent: string): AccentHint {
  const on = textOn(accent);
  const ratio = (value: number) => `${(Math.floor(value * 10) / 10).toFixed(1)} : 1`;
  const words = on === "#ffffff" ? "White" : "Black";
  const read = `${words} text on it, contrast ${ratio(contrast(accent, on))}.`;
  const onWhite = contrast(accent, "#ffffff");
  if (onWhite < SHAPE) {
    const text = `On a white page the button stands out little (${ratio(onWhite)}; ` +
      `${SHAPE} : 1 is better). ${read}`;
    return { tone: "warn", text };
  }
  return { tone: "good", text: read };
}
