/** Converts addresses of websites to the origins in a widget's list. */

/** Every website. */
export const ANY = "*";
/** How many a widget may have (protocol/rest.ts). */
export const MAX_ORIGINS = 50;
const MAX_LENGTH = 255;

export type ReadOrigin = { origin: string } | { error: string };

const EXAMPLE = "https://example.com";

/**
 * "shop.example.com/cart" → "https://shop.example.com". Without a scheme it becomes https, or http
 * for this machine. An error is a sentence for users.
 */
export function readOrigin(text: string): ReadOrigin {
  const typed = text.trim();
  if (typed === ANY) return { origin: ANY };
  if (typed.includes("*")) {
    return { error: "List each subdomain by itself: “*” works alone only, and means any website." };
  }
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(typed)?.[1]?.toLowerCase();
  if (scheme !== undefined && scheme !== "https" && scheme !== "http") {
    return { error: `Websites begin with https:// or http://, not ${scheme}://.` };
  }
  const local = /^(localhost|127\.0\.0\.1|\[::1\])(:|\/|$)/i.test(typed);
  const address = scheme === undefined ? `${local ? "http" : "https"}://${typed}` : typed;
  let url: URL;
  try {
    url = new URL(address);
  } catch {
    return { error: `Enter an address such as ${EXAMPLE}.` };
  }
  const plain = /\s/.test(typed) || url.username !== "" || url.password !== "";
  const named = url.hostname.includes(".") || url.hostname.includes(":") ||
    url.hostname === "localhost" || scheme !== undefined;
  if (plain || !named) return { error: `Enter an address such as ${EXAMPLE}.` };
  if (url.origin.length > MAX_LENGTH) return { error: "This address is too long." };
  return { origin: url.origin };
}

/** A widget's websites in a few words, for lists. */
export function originsSummary(origins: readonly string[]): string {
  if (origins.includes(ANY)) return "Any website";
  if (origins.length === 0) return "This server’s own pages only";
  const names = origins.map((origin) => origin.replace(/^https:\/\//, ""));
  if (names.length <= 2) return names.join(" and ");
  return `${names[0]} and ${names.length - 1} more`;
}
