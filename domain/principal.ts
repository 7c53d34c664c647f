/** Who acts: an agent, or a visitor with a session. Rights are asked of it at every command. */
export interface AgentPrincipal {
  kind: "agent";
  userId: string;
  userName: string;
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
  /** SHA-256 of the session's secret, as stored. */
  sessionHash: string;
  widgetId: string;
  /** Origins that may use this session; see domain/visitors/origins.ts. */
  allowedOrigins: string[];
  expiresAt: number | null;
}

export type Principal = AgentPrincipal | VisitorPrincipal;

export type Audience = "agents" | "visitors";

export function audienceOf(principal: Principal): Audience {
  return principal.kind === "agent" ? "agents" : "visitors";
}
