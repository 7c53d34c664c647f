/** How a request becomes a caller, and the rights that routes ask for. */
import type { Context } from "hono";
import {
  type AgentPrincipal,
  type Caller,
  needScope,
  type Principal,
} from "../domain/principal.ts";
import { isApiKey } from "../domain/programs/api_keys.ts";
import { originAllowed } from "../domain/visitors/origins.ts";
import { ParleyError } from "../protocol/errors.ts";
import type { Scope } from "../protocol/programs.ts";
import type { Env } from "./env.ts";
import type { ApiServices } from "./services.ts";

/**
 * The caller by `Authorization: Bearer …`: an agent's token, a visitor's session or an API key.
 *
 * @param options `participants`: also a participant's token
 */
export async function authenticate(
  services: ApiServices,
  request: Pick<Request, "headers">,
  self: string,
  { participants = false } = {},
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
  const principal = participants && credentials.includes(".")
    ? await services.principalByToken(credentials)
    : await principalOf(services, credentials);
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
