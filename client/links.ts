/** Addresses that people wrote, and formatted text, as they may be drawn. link_finder.ts finds them. */
import type { FormattedElement } from "../protocol/formatting.ts";

/** Attributes of each link that a person wrote. */
export const LINK = { target: "_blank", rel: "noopener noreferrer nofollow ugc" };

/** An element of a formatted message, as it may be drawn: none that runs, and no other address. */
export function safeElement({ tag, href, start }: FormattedElement) {
  if (href && /^(https?|mailto):/.test(href)) {
    return { tag: "a", href, title: href, ...LINK } as const;
  }
  const isKnown = /^(p|strong|em|code|pre|blockquote|[uo]l|li)$/.test(tag);
  return { tag: (isKnown ? tag : "span") as "p", start };
}

/** Without parameters that would set a subject, a copy or a text. */
export function mailHref(link: string): string {
  const address = link.replace(/^mailto:/i, "");
  const at = address.lastIndexOf("@");
  return `mailto:${encodeURIComponent(address.slice(0, at))}${address.slice(at)}`;
}

/** The link as a browser resolves it, or null where it is not a complete http(s) URL. */
export function webHref(link: string): string | null {
  try {
    const url = new URL(link);
    const web = url.protocol === "http:" || url.protocol === "https:";
    return web && url.hostname !== "" ? url.href : null;
  } catch {
    return null;
  }
}
