import { type Admission, createAdmission } from "./admission.ts";
import { createConnectionFactory } from "./connection_factory.ts";
import type { Core } from "./core.ts";
import { createEndpoints } from "./endpoints.ts";
import { createFollow } from "./follow.ts";
import { createScopes } from "./scopes.ts";
import type { Services } from "./services.ts";
import { createSocketIoServer, type SocketIoServer } from "./socket_io.ts";
import { isSocketIo } from "./socket_io_engine.ts";
import { createSockets, type Sockets } from "./sockets.ts";
import type { RealtimeOptions } from "./types.ts";
import { followUnread } from "./unread.ts";
import { createUpgrade, type Endpoints } from "./upgrade.ts";
import { createWorkspaceRoom } from "./workspace_room.ts";

/** How clients reach the hub: plain WebSockets and Socket.IO. */
export interface Transports {
  admission: Admission;
  sockets: Sockets;
  socketIo: SocketIoServer;
  /** Whether there are sockets at this path. */
  serves(path: string): boolean;
  /** Answers a request at one of these paths. */
  handle(request: Request, remote: string): Promise<Response>;
}

export function createTransports(
  options: RealtimeOptions,
  core: Core,
  services: Services,
  isDraining: () => boolean,
): Transports {
  const { node, metrics, limits, timeouts, onError } = options;
  const { peer, originAllowed } = options.access;
  const { conversations } = options.services;
  const { hub, reportRefusal } = core;
  const { authenticator } = services;
  const admission = createAdmission({
    hub,
    metrics,
    settings: options.admission,
    authTimeoutMs: timeouts.authMs,
    isDraining,
    originAllowed,
    reportRefusal,
  });
  const factory = createConnectionFactory({ node, hub, authenticator, limits, metrics, onError });
  const sockets = createSockets({
    connect: factory.connect,
    opened: factory.opened,
    onError: (error, connection) => onError(error, { connection: connection.id }),
  });
  const socketIo = createSocketIoServer({
    ...core,
    ...factory,
    limits,
    timeouts,
    recovery: options.recovery,
    peer,
    originAllowed,
    commands: services.commands,
    authenticate: authenticator.authenticate,
    unread: followUnread({ ...core, unreadCounts: options.queries.unreadCounts, onError }),
    epoch: conversations.epoch,
    takeSlot: admission.takeSlot,
    allow: admission.check,
    entries: (principal, positions) => conversations.entries(principal, positions),
    onError,
  });
  const endpoints = endpointsOf(options, core, services);
  const upgrade = createUpgrade({
    endpoints,
    peer,
    originAllowed,
    reportRefusal,
    takeConnection: admission.takeConnection,
    takeSlot: admission.takeSlot,
    idleTimeoutMs: timeouts.heartbeatMs * 2,
    isDraining,
    accept: sockets.accept,
  });
  return {
    admission,
    sockets,
    socketIo,
    serves: (path) => Object.hasOwn(endpoints, path) || isSocketIo(path),
    handle: (request, remote) =>
      isSocketIo(new URL(request.url).pathname)
        ? socketIo.handle(request, remote)
        : upgrade(request, remote),
  };
}

function endpointsOf(options: RealtimeOptions, core: Core, services: Services): Endpoints {
  const { timeouts, onError } = options;
  const { conversations, workspaceChat } = options.services;
  const { hub, presence } = core;
  return createEndpoints({
    node: options.node,
    heartbeatMs: timeouts.heartbeatMs,
    authTimeoutMs: timeouts.authMs,
    epoch: conversations.epoch,
    commands: services.commands,
    tables: services.tables,
    collaboration: services.collaboration,
    metrics: services.metricSubscriptions,
    follow: createFollow({ hub, conversations, presence }),
    scopes: createScopes({
      authenticator: services.authenticator,
      openContext: options.queries.openContext,
    }),
    workspace: createWorkspaceRoom({
      hub,
      presence,
      chat: workspaceChat,
      epoch: conversations.epoch,
    }),
    onUnexpected: (error, connection) => onError(error, { connection: connection.id }),
  });
}
