/**
 * Every close code a Parley server sends. The range tells a client what to do, so that a client
 * handles codes that are added later (the scheme is Centrifugo's):
 *
 * - 3000–3499 and 4000–4499: reconnect with backoff; state is recovered by (epoch, seq).
 * - 3500–3999 and 4500–4999: do not reconnect until something has changed, such as credentials.
 * - 1000 is a close that the client requested; 1001, 1005, 1006, 1009, 1011 and 1012: reconnect.
 * - 1008 is for clients that know only RFC 6455: a rate was exceeded; reconnect after a minute.
 */
export const CLOSE = {
  /** The client closed, or requested the close. */
  normal: { code: 1000, reason: "Normal closure" },
  /** The connection rate, or repeated abuse of another rate. */
  rateLimited: { code: 1008, reason: "Rate limit exceeded" },
  /** One message was larger than MAX_MESSAGE_BYTES allows by a wide margin. */
  tooLarge: { code: 1009, reason: "Message too large" },
  /** The server drains; `reconnect` was sent before. */
  draining: { code: 3001, reason: "Server is restarting" },
  /** The reader did not keep up; nothing is lost, the client recovers by (epoch, seq). */
  slow: { code: 3008, reason: "Client is too slow" },
  /** Events of other nodes may have been lost on the way; the client recovers by (epoch, seq). */
  resync: { code: 3013, reason: "Events may have been lost" },
  /** The server has no room for connections that are not authenticated; an `error` says how long. */
  overloaded: { code: 3014, reason: "Server is overloaded" },
  /** Something that the server needs, such as its database, is not available; reconnect. */
  unavailable: { code: 3015, reason: "Not available now" },
  /** The peer sent nothing within the heartbeat's time. */
  noPong: { code: 3012, reason: "No answer to a ping" },
  /** The token expired and was not refreshed; reconnect with a new one. */
  expired: { code: 3005, reason: "Token expired" },
  /** Something went wrong on the server with this connection only. */
  internal: { code: 3011, reason: "Internal error" },
  /** Credentials are missing or wrong. */
  unauthorized: { code: 3500, reason: "Not authenticated" },
  /** No credentials arrived within AUTH_TIMEOUT_MS. */
  authTimeout: { code: 3006, reason: "Authentication timed out" },
  /** The peer does not speak the protocol. */
  badRequest: { code: 3501, reason: "Bad request" },
  /** MAX_CONNECTIONS_PER_USER was reached; the oldest connection is closed. */
  tooManyConnections: { code: 3504, reason: "Too many connections" },
  /** An administrator or the API ended this user's connections. */
  disconnected: { code: 3503, reason: "Disconnected by the server" },
} as const;

export type CloseReason = keyof typeof CLOSE;

/** Whether a client should connect again after this close code. */
export function shouldReconnect(code: number): boolean {
  if (code === 1000) return false;
  if (code >= 3500 && code <= 3999) return false;
  if (code >= 4500 && code <= 4999) return false;
  return true;
}
