import { CLOSE } from "../protocol/close_codes.ts";
import type { EventBus } from "../domain/events.ts";
import type { Principal } from "../domain/principal.ts";
import { originAllowed } from "../domain/visitors/origins.ts";
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
    return "sessionHash" in whose && principal.sessionHash === whose.sessionHash;
  }
  if ("signInId" in whose) return principal.signInId === whose.signInId;
  return "tokenId" in whose && principal.tokenId === whose.tokenId;
}

/**
 * Keeps the rights of open connections true: what is changed about a user or a widget holds at once,
 * not at the next connection.
 */
export function followRights(
  bus: EventBus,
  hub: Hub,
  disconnect: (whose: Disconnect) => unknown,
): void {
  bus.on("user.updated", ({ user }) => {
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
    for (const connection of hub.members(ROOMS.user(contactId))) {
      const { principal } = connection;
      if (principal !== null) connection.principal = { ...principal, userName: name };
    }
  });

  bus.on("widget.updated", ({ widgetId, enabled, allowedOrigins }) => {
    for (const connection of [...hub.members(ROOMS.visitors)]) {
      const { principal, origin, selfOrigin } = connection;
      if (principal?.kind !== "visitor" || principal.widgetId !== widgetId) continue;
      if (enabled && originAllowed({ origin, self: selfOrigin }, allowedOrigins)) {
        connection.principal = { ...principal, allowedOrigins };
      } else {
        connection.close(CLOSE.disconnected);
      }
    }
  });
}
