import { CLOSE } from "../protocol/close_codes.ts";
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
