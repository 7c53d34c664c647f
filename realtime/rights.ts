import { CLOSE } from "../protocol/close_codes.ts";
import { originAllowed } from "../domain/visitors/origins.ts";
import { withBlock } from "../domain/visitors/blocking.ts";
import type { ClusterEvents } from "./cluster_events.ts";
import type { DisconnectTarget } from "./disconnect.ts";
import type { Hub } from "./hub.ts";
import { ROOMS } from "./rooms.ts";
import type { SocketIoServer } from "./socket_io.ts";

export interface RightsOptions {
  events: ClusterEvents;
  hub: Hub;
  /** Ends connections of this node. */
  disconnectLocal: (target: DisconnectTarget) => unknown;
  socketIo: Pick<SocketIoServer, "endRecoveryWhere">;
}

/**
 * Applies changes of users, contacts and widgets to open connections: a change of rights takes
 * effect at once, not at the next connection.
 */
export function followRights({ events, hub, disconnectLocal, socketIo }: RightsOptions): void {
  events.on("user.updated", ({ user }) => {
    socketIo.endRecoveryWhere(({ userId }) => userId === user.id);
    for (const connection of hub.members(ROOMS.user(user.id))) {
      const { principal } = connection;
      if (principal?.kind !== "agent") continue;
      connection.principal = { ...principal, userName: user.name, role: user.role };
    }
  });
  events.on("user.ended", disconnectLocal);
  events.on("sign_in.ended", disconnectLocal);
  events.on("session.ended", disconnectLocal);

  events.on("contact.updated", ({ contactId, name }) => {
    socketIo.endRecoveryWhere(({ userId }) => userId === contactId);
    for (const connection of hub.members(ROOMS.user(contactId))) {
      const { principal } = connection;
      if (principal !== null) connection.principal = { ...principal, userName: name };
    }
  });

  events.on("contact.blocked", ({ contactId, isBlocked }) => {
    socketIo.endRecoveryWhere(({ userId }) => userId === contactId);
    for (const connection of hub.members(ROOMS.user(contactId))) {
      if (connection.principal?.kind !== "visitor") continue;
      connection.principal = withBlock(connection.principal, isBlocked);
    }
  });

  events.on("widget.updated", ({ widgetId, enabled, allowedOrigins, appearance }) => {
    const timestamp = new Date().toISOString();
    socketIo.endRecoveryWhere((principal) =>
      principal.kind === "visitor" && principal.widgetId === widgetId
    );
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
