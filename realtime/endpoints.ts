import { SUBPROTOCOL } from "../protocol/native.ts";
import type { Collaboration } from "./collaboration.ts";
import type { Commands } from "./commands.ts";
import type { Connection } from "./connection.ts";
import type { Follow } from "./follow.ts";
import type { MetricSubscriptions } from "./metrics.ts";
import { createChatJsonProtocol } from "./protocols/chat_json.ts";
import { createNativeProtocol } from "./protocols/native.ts";
import { createScopedAnalyticsProtocol } from "./protocols/scoped_analytics.ts";
import { createScopedChatProtocol } from "./protocols/scoped_chat.ts";
import { createScopedCollaborationProtocol } from "./protocols/scoped_collaboration.ts";
import { createTopicsProtocol } from "./protocols/topics.ts";
import type { Scopes } from "./scopes.ts";
import type { TableSubscriptions } from "./tables.ts";
import type { Endpoints } from "./upgrade.ts";
import type { ChatRoom } from "./workspace_room.ts";

export interface EndpointsOptions {
  node: string;
  heartbeatMs: number;
  authTimeoutMs: number;
  epoch: string;
  commands: Commands;
  tables: TableSubscriptions;
  collaboration: Collaboration;
  metrics: MetricSubscriptions;
  follow: Follow;
  scopes: Scopes;
  workspace: ChatRoom;
  onUnexpected: (error: unknown, connection: Connection) => void;
}

/** The paths of plain WebSockets, and their protocols. Socket.IO has its own engine. */
export function createEndpoints(options: EndpointsOptions): Endpoints {
  const { commands, epoch, scopes, workspace, onUnexpected } = options;
  const { node, heartbeatMs, authTimeoutMs, tables, follow, metrics, collaboration } = options;
  return {
    "/realtime": {
      protocol: createNativeProtocol({
        commands,
        node,
        heartbeatMs,
        authTimeoutMs,
        onUnexpected,
      }),
      subprotocol: SUBPROTOCOL,
    },
    "/ws": {
      protocol: createChatJsonProtocol({
        commands,
        followTables: (connection, accept) => tables.followAll(connection, accept),
        onUnexpected,
      }),
    },
    "/api/chat/ws": {
      protocol: createScopedChatProtocol({ scopes, commands, workspace, epoch, onUnexpected }),
    },
    "/api/analytics/ws": {
      protocol: createScopedAnalyticsProtocol({ scopes, metrics, onUnexpected }),
    },
    "/api/collaboration/ws": {
      protocol: createScopedCollaborationProtocol({ scopes, collaboration, onUnexpected }),
    },
    "/api/v1/ws": { protocol: createTopicsProtocol({ commands, follow, epoch, onUnexpected }) },
  };
}
