/**
 * Preferences of the interface that the browser keeps. The server needs the cookies to render the
 * first page correctly; none of them identifies the person.
 */
import { type Clock, englishLocale, isZone } from "../format/time.ts";

export type Theme = "light" | "dark" | "system";

export const THEME_COOKIE = "parley_theme";
export const ZONE_COOKIE = "parley_zone";
export const CONTEXT_COOKIE = "parley_context";

/** How much room the rows of the list take. */
export type Density = "comfortable" | "compact";

/** Of each agent: several may use one browser. */
export const densityCookie = (userId: string) => `parley_density_${userId}`;

export function densityOf(cookies: string | null, userId: string): Density {
  return readCookie(cookies, densityCookie(userId)) === "compact" ? "compact" : "comfortable";
}

const YEAR_SECONDS = 365 * 24 * 3600;

/** The value of a cookie, or null. */
export function readCookie(header: string | null, name: string): string | null {
  for (const part of (header ?? "").split(";")) {
    const at = part.indexOf("=");
    if (at === -1 || part.slice(0, at).trim() !== name) continue;
    try {
      return decodeURIComponent(part.slice(at + 1).trim());
    } catch {
      return null;
    }
  }
  return null;
}

/** In the browser: stores a cookie for a year. */
export function writeCookie(name: string, value: string) {
  const secure = location.protocol === "https:" ? "; Secure" : "";
  document.cookie = `${name}=${
    encodeURIComponent(value)
  }; Path=/; Max-Age=${YEAR_SECONDS}; SameSite=Lax${secure}`;
}

export function themeOf(cookies: string | null): Theme {
  const value = readCookie(cookies, THEME_COOKIE);
  return value === "light" || value === "dark" ? value : "system";
}

/** Whether the details are shown; the default is yes. */
export function contextOpenOf(cookies: string | null): boolean {
  return readCookie(cookies, CONTEXT_COOKIE) !== "closed";
}

/** The clock to render a page with, for this request. */
export function clockOf(headers: Headers, now = Date.now()): Clock {
  const zone = readCookie(headers.get("cookie"), ZONE_COOKIE);
  return {
    now,
    zone: zone !== null && isZone(zone) ? zone : "UTC",
    locale: englishLocale(headers.get("accept-language")),
  };
}
