import { CLOSE } from "../protocol/close_codes.ts";
import { ParleyError } from "../protocol/errors.ts";
import type { User } from "../protocol/model.ts";
import type { Principal } from "../domain/principal.ts";
import { originAllowed } from "../domain/visitors/origins.ts";
import type { Everywhere } from "./everywhere.ts";
import type { Hub } from "./hub.ts";
import { ROOMS } from "./rooms.ts";

/** Whose connections: all of a user or contact, of one session, of one sign-in, of one token. */
export type Disconnect =
  | { userId: string }
  | { sessionHash: string }
  | { signInId: string }
  | { tokenId: string };

export function isWhose(principal: Principal, whose: Disconnect): boolean {
  if ("userId" in whose) return principal.userId === whose.userId;
  if (principal.kind === "visitor") {
    if ("sessionHash" in whose) return principal.sessionHash === whose.sessionHash;
    return "tokenId" in whose && principal.tokenId === whose.tokenId;
  }
  if ("signInId" in whose) return principal.signInId === whose.signInId;
  return "tokenId" in whose && principal.tokenId === whose.tokenId;
}

/** About as long as an authentication may take. */
const REMEMBER_MS = 15_000;
const MAX_REMEMBERED = 10_000;

/** What was remembered by key, for a while and in bounded number. */
function createMemory<T>(now: () => number) {
  const values = new Map<string, { value: T; at: number }>();
  return {
    get: (key: string): T | undefined => values.get(key)?.value,
    set(key: string, value: T): void {
      values.delete(key);
      values.set(key, { value, at: now() });
      // The oldest first, so that the first one that is young ends the look.
      for (const [old, { at }] of values) {
        if (values.size <= MAX_REMEMBERED && now() - at < REMEMBER_MS) break;
        values.delete(old);
      }
    },
  };
}

/** As whom somebody is let in now. @throws {ParleyError} `invalid_token` when they have no right any more. */
export type LetIn = (principal: Principal) => Principal;

/**
 * A connection that is being authenticated is in no room yet, so what happens to its sign-in and its
 * user meanwhile does not reach it: it is looked up here at the moment when it is let in.
 */
export function createLetIn(bus: Everywhere, now: () => number = Date.now): LetIn {
  const ended = createMemory<true>(now);
  const users = createMemory<User>(now);
  bus.on("sign_in.ended", ({ signInId }) => ended.set(signInId, true));
  bus.on("user.updated", ({ user }) => users.set(user.id, user));
  return (principal) => {
    if (principal.kind !== "agent") return principal;
    const user = users.get(principal.userId);
    if (
      user?.disabledAt != null || (principal.signInId !== null && ended.get(principal.signInId))
    ) {
      throw new ParleyError("invalid_token", "Cannot authenticate: the sign-in has ended");
    }
    return user === undefined ? principal : { ...principal, userName: user.name, role: user.role };
  };
}

/**
 * Keeps the rights of open connections true: what is changed about a user or a widget holds at once,
 * not at the next connection.
 */
export function followRights(
  bus: Everywhere,
  hub: Hub,
  disconnect: (whose: Disconnect) => unknown,
  /** Connections that were cut are not recovered of those for whom that is true. */
  forget: (whose: (principal: Principal) => boolean) => void,
): void {
  bus.on("user.updated", ({ user }) => {
    forget(({ userId }) => userId === user.id);
    for (const connection of hub.members(ROOMS.user(user.id))) {
      const { principal } = connection;
      if (principal?.kind !== "agent") continue;
      connection.principal = { ...principal, userName: user.name, role: user.role };
    }
  });
  bus.on("user.ended", disconnect);
  bus.on("sign_in.ended", disconnect);
  bus.on("session.ended", disconnect);

  bus.on("contact.updated", ({ contactId, name }) => {
    forget(({ userId }) => userId === contactId);
    for (const connection of hub.members(ROOMS.user(contactId))) {
      const { principal } = connection;
      if (principal !== null) connection.principal = { ...principal, userName: name };
    }
  });

  bus.on("widget.updated", ({ widgetId, enabled, allowedOrigins, appearance }) => {
    const timestamp = new Date().toISOString();
    forget((principal) => principal.kind === "visitor" && principal.widgetId === widgetId);
    for (const connection of [...hub.members(ROOMS.visitors)]) {
      const { principal, origin, selfOrigin } = connection;
      if (principal?.kind !== "visitor" || principal.widgetId !== widgetId) continue;
      const may = enabled && originAllowed({ origin, self: selfOrigin }, allowedOrigins);
      const data = { enabled: may, appearance };
      connection.sendEvent({ type: "widget_config", timestamp, data });
      if (may) {
        connection.principal = { ...principal, allowedOrigins, appearance };
      } else {
        connection.close(CLOSE.disconnected);
      }
    }
  });
}
