export type TextPart = { text: string; href?: string };

// Stops at white space and at characters that no URL holds unescaped.
const URL_PATTERN = /\bhttps?:\/\/[^\s<>"`{}|\\^]+/gi;
const CLOSERS: Record<string, string> = { ")": "(", "]": "[" };

/**
 * Cuts plain text into words and http(s) links. The parts' texts together are the text exactly as
 * it was. Punctuation that ends a sentence is no part of a link, and a closing bracket is only when
 * its opening one is.
 */
export function linkify(text: string): TextPart[] {
  const parts: TextPart[] = [];
  let end = 0;
  for (const match of text.matchAll(URL_PATTERN)) {
    const link = trimTail(match[0]);
    const href = safeHref(link);
    if (href === null) continue;
    if (match.index > end) parts.push({ text: text.slice(end, match.index) });
    parts.push({ text: link, href });
    end = match.index + link.length;
  }
  if (end < text.length) parts.push({ text: text.slice(end) });
  return parts;
}

function trimTail(link: string): string {
  for (;;) {
    const last = link.at(-1) ?? "";
    const opener = CLOSERS[last];
    const unbalanced = opener !== undefined &&
      count(link, last) > count(link, opener);
    if (!unbalanced && !/[.,;:!?'*_~…]/.test(last)) return link;
    link = link.slice(0, -1);
  }
}

function count(text: string, char: string): number {
  return text.split(char).length - 1;
}

/** The link as the browser would follow it, or null when it is not a complete http(s) URL. */
export function safeHref(link: string): string | null {
  try {
    const url = new URL(link);
    const web = url.protocol === "http:" || url.protocol === "https:";
    return web && url.hostname !== "" ? url.href : null;
  } catch {
    return null;
  }
}
