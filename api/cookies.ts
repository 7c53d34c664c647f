/** The cookies of agents, and who sends a request. */
import type { Context } from "hono";
import { deleteCookie, getCookie, setCookie } from "hono/cookie";
import type { SignedIn } from "../domain/agents/sign_in.ts";
import type { Actor } from "../domain/audit.ts";
import type { Env } from "./env.ts";
import type { ApiServices } from "./services.ts";

export const REFRESH_COOKIE = "parley_refresh";
/** Identifies a browser at its next sign-in, see domain/agents/devices.ts. */
const DEVICE_COOKIE = "parley_device";
/** Browsers keep a cookie for no longer. */
const DEVICE_LIFE_S = 400 * 86_400;

/**
 * Over HTTPS a cookie has a name that browsers accept from this host alone. Both names are read, so
 * that nobody is signed out when a server changes to HTTPS.
 */
const HOST_PREFIX = "__Host-";

function isSecure(c: Context<Env>, services: ApiServices): boolean {
  return services.secureCookies ?? c.get("peer").selfOrigin.startsWith("https:");
}

const COOKIE_OPTIONS = { path: "/", httpOnly: true, sameSite: "Lax" } as const;

function readCookie(c: Context<Env>, name: string): string | undefined {
  return getCookie(c, HOST_PREFIX + name) ?? getCookie(c, name);
}

function writeCookie(
  c: Context<Env>,
  services: ApiServices,
  name: string,
  value: string,
  life: { expires: Date } | { maxAge: number },
): void {
  const secure = isSecure(c, services);
  setCookie(c, secure ? HOST_PREFIX + name : name, value, { ...COOKIE_OPTIONS, ...life, secure });
  // Set before this server was reached over HTTPS.
  if (secure && getCookie(c, name) !== undefined) deleteCookie(c, name, COOKIE_OPTIONS);
}

export function signedInResponse(c: Context<Env>, services: ApiServices, signedIn: SignedIn) {
  writeCookie(c, services, REFRESH_COOKIE, signedIn.refreshToken, {
    expires: new Date(signedIn.refreshExpiresAt),
  });
  if (signedIn.device !== undefined) {
    writeCookie(c, services, DEVICE_COOKIE, signedIn.device, { maxAge: DEVICE_LIFE_S });
  }
  c.header("cache-control", "no-store");
  return {
    token: signedIn.access.token,
    expiresAt: new Date(signedIn.access.expiresAt).toISOString(),
    user: signedIn.user,
  };
}

export function refreshCookie(c: Context<Env>): string | undefined {
  return readCookie(c, REFRESH_COOKIE);
}

export function clearRefreshCookie(c: Context<Env>): void {
  deleteCookie(c, REFRESH_COOKIE, COOKIE_OPTIONS);
  if (getCookie(c, HOST_PREFIX + REFRESH_COOKIE) !== undefined) {
    deleteCookie(c, HOST_PREFIX + REFRESH_COOKIE, { ...COOKIE_OPTIONS, secure: true });
  }
  c.header("cache-control", "no-store");
}

export function peerOf(c: Context<Env>) {
  return {
    address: c.get("peer").address,
    userAgent: c.req.header("user-agent") ?? null,
    device: readCookie(c, DEVICE_COOKIE),
  };
}

/** The caller, for the audit log. */
export function auditActor(c: Context<Env>): Actor {
  const { kind, userId, userName } = c.get("principal");
  const { address, userAgent } = peerOf(c);
  return {
    kind: kind === "agent" ? "user" : kind === "program" ? "program" : "nobody",
    id: userId,
    name: userName,
    address,
    userAgent,
  };
}
