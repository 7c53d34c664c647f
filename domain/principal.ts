import { ParleyError } from "../protocol/errors.ts";
import type { Scope } from "../protocol/programs.ts";

import type { WidgetAppearance } from "../protocol/model.ts";

/**
 * Who acts: an agent, or a visitor, who has a session or, as a participant, a token with contexts.
 * Rights are checked at every command.
 */
export interface AgentPrincipal {
  kind: "agent";
  userId: string;
  userName: string;
  /** Absent for the server itself. */
  email?: string;
  role: "admin" | "agent";
  /** The `jti` of the access token, and its sign-in; null for the server itself. */
  tokenId: string | null;
  signInId: string | null;
  /** Milliseconds since the epoch; null: does not expire. */
  expiresAt: number | null;
}

export interface VisitorPrincipal {
  kind: "visitor";
  /** The contact's id. */
  userId: string;
  userName: string;
  /** SHA-256 of the session's secret, as stored; null for a participant, who has a token instead. */
  sessionHash: string | null;
  /** The session's public id, as in rows of `chat_sessions`. */
  sessionRow?: string;
  widgetId: string | null;
  /** The widget's appearance; undefined without a widget. */
  appearance?: WidgetAppearance;
  /** Origins that may use this session; see domain/visitors/origins.ts. */
  allowedOrigins: string[];
  /**
   * Of a participant: the contexts of their token, each the name of a context or the id of a
   * conversation. They see these and nothing else, not even what they opened with another token.
   * undefined for a visitor with a session, who sees their own conversations.
   */
  contexts?: readonly string[];
  /** Of a participant whose issuer is trusted for any context, until they have entered one. */
  anyContext?: true;
  /** They may read, and not write. */
  isBlocked?: true;
  /** Of a participant: their token's `jti`, where it has one. */
  tokenId?: string | null;
  expiresAt: number | null;
}

/** A person, who may have a connection. */
export type Principal = AgentPrincipal | VisitorPrincipal;

/** Another program, over HTTP and with an API key. It sees what agents see, as far as its scopes go. */
export interface ProgramPrincipal {
  kind: "program";
  /** The key's id, which is the sender's id of its messages. */
  userId: string;
  /** The key's name. */
  userName: string;
  scopes: readonly Scope[];
  expiresAt: number | null;
}

/** Anybody who may call the domain. */
export type Caller = Principal | ProgramPrincipal;

/** Which of the two forms of an event or a conversation somebody may see. */
export type Audience = "agents" | "visitors";

export function audienceOf(principal: Pick<Caller, "kind">): Audience {
  return principal.kind === "visitor" ? "visitors" : "agents";
}

/** @throws {ParleyError} `forbidden` for a program whose key does not have the scope. */
export function needScope(caller: Caller, scope: Scope): void {
  if (caller.kind !== "program" || caller.scopes.includes(scope)) return;
  throw new ParleyError(
    "forbidden",
    `Cannot do that: the API key does not have the scope "${scope}"`,
  );
}

/** @throws {ParleyError} `blocked` for a visitor whom the team has blocked. */
export function needUnblocked(caller: Pick<Caller, "kind">): void {
  if (caller.kind !== "visitor" || !(caller as VisitorPrincipal).isBlocked) return;
  throw new ParleyError("blocked", "Cannot write: you can no longer write to this team");
}
