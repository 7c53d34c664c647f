import { ParleyError } from "../protocol/errors.ts";
import type { Scope } from "../protocol/programs.ts";

import type { WidgetAppearance } from "../protocol/model.ts";

/**
 * Who acts: an agent, or a visitor, who has a session or, as a participant, a token that names
 * contexts. Rights are asked of it at every command.
 */
export interface AgentPrincipal {
  kind: "agent";
  userId: string;
  userName: string;
  /** Absent within the server. */
  email?: string;
  role: "admin" | "agent";
  /** Of the access token (its `jti`), and of the sign-in that it belongs to; null within the server. */
  tokenId: string | null;
  signInId: string | null;
  /** Milliseconds since the epoch; null: does not end by itself. */
  expiresAt: number | null;
}

export interface VisitorPrincipal {
  kind: "visitor";
  /** The contact's id. */
  userId: string;
  userName: string;
  /** SHA-256 of the session's secret, as stored; null for a participant, who has a token instead. */
  sessionHash: string | null;
  /** The id by which everybody else knows the session, as in rows of `chat_sessions`. */
  sessionRow?: string;
  widgetId: string | null;
  /** How that widget looks; undefined without a widget. */
  appearance?: WidgetAppearance;
  /** Origins that may use this session; see domain/visitors/origins.ts. */
  allowedOrigins: string[];
  /**
   * Of a participant: the contexts that their token names, each the name of a context or the id of
   * a conversation. They see these and nothing else, not even what they opened with another token.
   * Undefined for a visitor with a session, who sees the conversations that are theirs.
   */
  contexts?: readonly string[];
  /** Of a participant whose issuer is trusted for any context, until they have entered one. */
  anyContext?: true;
  /** Of a participant: their token's `jti`, where it has one. */
  tokenId?: string | null;
  expiresAt: number | null;
}

/** Someone who may have a connection. */
export type Principal = AgentPrincipal | VisitorPrincipal;

/** Another program, over HTTP and with an API key. It sees what agents see, as far as its scopes go. */
export interface ProgramPrincipal {
  kind: "program";
  /** The key's id: who writes as a bot, and what makes a `clientMessageId` its own. */
  userId: string;
  /** The key's name. */
  userName: string;
  scopes: readonly Scope[];
  expiresAt: number | null;
}

/** Whoever may ask anything of the domain. */
export type Caller = Principal | ProgramPrincipal;

export type Audience = "agents" | "visitors";

export function audienceOf(principal: Pick<Caller, "kind">): Audience {
  return principal.kind === "visitor" ? "visitors" : "agents";
}

/** @throws {ParleyError} `forbidden` for a program whose key was not made for that. */
export function needScope(caller: Caller, scope: Scope): void {
  if (caller.kind !== "program" || caller.scopes.includes(scope)) return;
  throw new ParleyError(
    "forbidden",
    `Cannot do that: the API key does not have the scope "${scope}"`,
  );
}
