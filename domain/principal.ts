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
  widgetId: string | null;
  /** Origins that may use this session; see domain/visitors/origins.ts. */
  allowedOrigins: string[];
  /**
   * Of a participant: the contexts that their token names, each the name of a context or the id of
   * a conversation. They see these and nothing else, not even what they opened with another token.
   * Undefined for a visitor with a session, who sees the conversations that are theirs.
   */
  contexts?: readonly string[];
  /** Of a participant: their token's `jti`, where it has one. */
  tokenId?: string | null;
  expiresAt: number | null;
}

export type Principal = AgentPrincipal | VisitorPrincipal;

export type Audience = "agents" | "visitors";

export function audienceOf(principal: Principal): Audience {
  return principal.kind === "agent" ? "agents" : "visitors";
}
