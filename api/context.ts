/** What every API route is given, and how a request becomes a principal. */
import { OpenAPIHono, z } from "@hono/zod-openapi";
import type { Context } from "hono";
import { deleteCookie, getCookie, setCookie } from "hono/cookie";
import type { Db } from "../db/database.ts";
import type { Actor } from "../domain/audit.ts";
import type { SignedIn, SignIn } from "../domain/agents/sign_in.ts";
import type { Passwords } from "../domain/agents/passwords.ts";
import type { Bot } from "../domain/bot/engine.ts";
import type { Analytics } from "../domain/analytics/service.ts";
import type { Conversations } from "../domain/conversations/types.ts";
import type { HandOvers } from "../domain/conversations/hand_over.ts";
import type { EventBus } from "../domain/events.ts";
import type { Metrics } from "../domain/metrics.ts";
import type { NotificationService } from "../domain/notifications/service.ts";
import {
  type AgentPrincipal,
  type Caller,
  needScope,
  type Principal,
  type ProgramPrincipal,
  type VisitorPrincipal,
} from "../domain/principal.ts";
import { isApiKey } from "../domain/programs/api_keys.ts";
import type { Renames } from "../domain/visitors/contacts.ts";
import { originAllowed } from "../domain/visitors/origins.ts";
import type { ParticipantTokens } from "../domain/visitors/participants.ts";
import { invalid, ParleyError } from "../protocol/errors.ts";
import type { Scope } from "../protocol/programs.ts";
import { Id } from "../protocol/model.ts";
import { Problem } from "../protocol/rest.ts";
import type { Peer, PeerReader } from "../realtime/address.ts";
import type { Realtime } from "../realtime/face.ts";
import type { OpenRequestLimits } from "./open_requests.ts";
import type { Workers } from "./workers.ts";

export interface ApiServices {
  version: string;
  engine: string;
  metrics: Metrics;
  /** The other workers of this process; null: there are none. */
  workers: Workers | null;
  /** Where the embedded database and generated secrets are; undefined: nothing is kept on a disk. */
  dataDir: string | undefined;
  /** Who may read /metrics from anywhere; undefined: nobody. */
  metricsToken: string | undefined;
  db: Db;
  bus: EventBus;
  signIn: SignIn;
  passwords: Passwords;
  conversations: Conversations;
  handOvers: HandOvers;
  bot: Pick<Bot, "pages">;
  notifications: NotificationService;
  participantTokens: ParticipantTokens;
  realtime: Realtime;
  analytics: Analytics;
  peer: PeerReader;
  agentOrigins: readonly string[];
  visitorBySession: (sessionId: string) => Promise<VisitorPrincipal>;
  programByKey: (key: string) => Promise<ProgramPrincipal>;
  /** Every origin that an enabled widget or a setting allows. */
  /** How often a contact may get another name. */
  renames: Renames;
  originAllowed: (check: { origin: string | null; self: string }) => Promise<boolean>;
  sessionLifeMs: number;
  sessionsPerMinute: number;
  loginsPerMinute: number;
  maxBodyBytes: number;
  /** Milliseconds that a body may take to arrive. */
  bodyTimeoutMs: number;
  openRequests: OpenRequestLimits;
  secureCookies: boolean | undefined;
  onError: (error: unknown, context?: Record<string, unknown>) => void;
}

export interface Env {
  Bindings: { remote: string };
  Variables: { peer: Peer; principal: Caller };
}

export type Api = OpenAPIHono<Env>;

export function createApi(): Api {
  return new OpenAPIHono<Env>({
    defaultHook: (result) => {
      if (!result.success) {
        throw invalid(`the ${TARGETS[result.target] ?? "request"}`, result.error);
      }
    },
  });
}

const TARGETS: Record<string, string> = {
  json: "body",
  query: "query",
  param: "address",
  header: "headers",
};

const problem = {
  description: "Problem details (RFC 9457)",
  content: { "application/problem+json": { schema: Problem } },
};

/** The parts that every route's description shares. */
export function answers<S extends 200 | 201, T extends z.ZodType>(
  status: S,
  description: string,
  schema: T,
) {
  const answer = { description, content: { "application/json": { schema } } };
  return { [status]: answer, default: problem } as unknown as Record<S, typeof answer>;
}

/**
 * The same for a handler whose answer TypeScript cannot compare with the schema: one that is generic
 * over its items, or that answers a table as well as JSON. It may return any response.
 */
export function looseAnswers(
  status: 200 | 201,
  description: string,
  schema: z.ZodType,
): Record<number, { description: string }> {
  return answers(status, description, schema);
}

export const nothing = { 204: { description: "Done" }, default: problem };

export function body<T extends z.ZodType>(schema: T) {
  return { body: { required: true, content: { "application/json": { schema } } } };
}

export const IdParam = z.object({ id: Id });

/**
 * Reads a body within the size limit and the time, "" where there is none.
 *
 * @throws {ParleyError} `too_large`, `request_timeout`.
 */
export async function readText(
  c: Context<Env>,
  maxBytes: number,
  timeoutMs: number,
): Promise<string> {
  const declared = Number(c.req.header("content-length") ?? "0");
  if (declared > maxBytes) throw tooLarge(maxBytes);
  const reader = c.req.raw.body?.getReader();
  if (reader === undefined) return "";
  const chunks: Uint8Array[] = [];
  let size = 0;
  let isLate = false;
  // What is read then ends; the answer does not wait for the peer to end its body.
  const timer = setTimeout(() => {
    isLate = true;
    reader.cancel().catch(() => {});
  }, timeoutMs);
  try {
    for (;;) {
      const { done, value } = await reader.read().catch(gone);
      if (isLate) throw tooLate(size, timeoutMs);
      if (done) break;
      size += value.byteLength;
      if (size > maxBytes) {
        await reader.cancel();
        throw tooLarge(maxBytes);
      }
      chunks.push(value);
    }
  } finally {
    clearTimeout(timer);
  }
  return await new Blob(chunks as BlobPart[]).text();
}

/** Nobody reads the answer; it is no fault of the server's. */
function gone(cause: unknown): never {
  const sentence = "Cannot read the body: the peer went away before its end";
  throw new ParleyError("request_timeout", sentence, { cause });
}

function tooLate(bytes: number, timeoutMs: number): ParleyError {
  const sentence = `Cannot read the body: only ${bytes} bytes arrived within ${timeoutMs} ms`;
  return new ParleyError("request_timeout", sentence, { limit: "BODY_TIMEOUT_MS" });
}

function tooLarge(maxBytes: number): ParleyError {
  return new ParleyError("too_large", `Cannot read the body: it is larger than ${maxBytes} bytes`, {
    limit: "MAX_MESSAGE_BYTES",
  });
}

/** Who is behind `Authorization: Bearer …`: an agent's token, a visitor's session or an API key. */
export async function authenticate(
  services: ApiServices,
  request: Pick<Request, "headers">,
  self: string,
): Promise<Caller> {
  const match = /^Bearer (\S+)$/i.exec(request.headers.get("authorization") ?? "");
  if (match === null) {
    throw new ParleyError(
      "unauthenticated",
      'Cannot authenticate: the header "Authorization: Bearer …" is missing',
    );
  }
  const credentials = match[1]!;
  const origin = request.headers.get("origin");
  const principal = await principalOf(services, credentials);
  const allowed = principal.kind === "visitor" ? principal.allowedOrigins : services.agentOrigins;
  if (!originAllowed({ origin, self }, allowed)) {
    throw new ParleyError(
      "origin_not_allowed",
      `Cannot authenticate: "${origin}" is not an allowed origin`,
    );
  }
  return principal;
}

async function principalOf(services: ApiServices, credentials: string): Promise<Caller> {
  // A JWT has two dots; a session id and an API key have none.
  if (credentials.includes(".")) return await services.signIn.authenticate(credentials);
  if (isApiKey(credentials)) return await services.programByKey(credentials);
  return await services.visitorBySession(credentials);
}

/** @throws {ParleyError} `forbidden` for a program. */
export function asPerson(caller: Caller): Principal {
  if (caller.kind === "program") {
    throw new ParleyError("forbidden", "Cannot do that with an API key: only people may");
  }
  return caller;
}

export const personOf = (c: Context<Env>): Principal => asPerson(c.get("principal"));

/** For the server-side API. @throws {ParleyError} `forbidden` unless it has the scope or is an admin. */
export function programOf(c: Context<Env>, scope: Scope): void {
  const caller = c.get("principal");
  if (caller.kind !== "program") adminOf(c);
  else needScope(caller, scope);
}

export function agentOf(c: Context<Env>): AgentPrincipal {
  const principal = c.get("principal");
  if (principal.kind !== "agent") {
    throw new ParleyError("forbidden", "Cannot do that: only agents may");
  }
  return principal;
}

export function adminOf(c: Context<Env>): AgentPrincipal {
  const agent = agentOf(c);
  if (agent.role !== "admin") throw new ParleyError("forbidden", "Cannot do that: only admins may");
  return agent;
}

export const REFRESH_COOKIE = "parley_refresh";
/** By which a browser is known again, see domain/agents/devices.ts. */
const DEVICE_COOKIE = "parley_device";
/** What browsers keep a cookie for at most. */
const DEVICE_LIFE_S = 400 * 86_400;

/**
 * Over HTTPS a cookie has a name that browsers keep for what this very host set. Both names are read,
 * so that nobody is signed out by the change from one to the other.
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
  // What was set before this server was reached over HTTPS.
  if (secure && getCookie(c, name) !== undefined) deleteCookie(c, name, COOKIE_OPTIONS);
}

export function signedInAnswer(c: Context<Env>, services: ApiServices, signedIn: SignedIn) {
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

/** Who asks, for the audit log. */
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
