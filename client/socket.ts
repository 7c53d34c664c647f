/** The same string as in protocol/native.ts, which would bring zod into the bundle. */
export const SUBPROTOCOL = "parley.v1";

/** "https://host", "wss://host", "https://host/base" or ".../realtime" → the socket's address. */
export function socketUrl(url: string): string {
  const base = typeof location === "undefined" ? undefined : location.href;
  const parsed = new URL(url, base);
  parsed.protocol = parsed.protocol.replace("http", "ws");
  parsed.hash = "";
  if (!/\/realtime$/.test(parsed.pathname)) {
    parsed.pathname = parsed.pathname.replace(/\/$/, "") + "/realtime";
  }
  return parsed.href;
}
