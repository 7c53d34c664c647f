/** Puts the parts of realtime/ together: `core.ts`, `services.ts`, `transports.ts`. */
import { CLOSE } from "../protocol/close_codes.ts";
import { createCore } from "./core.ts";
import { deliverDomainEvents } from "./delivery.ts";
import { createDisconnects } from "./disconnect.ts";
import { drainConnections, requestReconnects } from "./drain.ts";
import { startHeartbeat } from "./heartbeat.ts";
import { followRights } from "./rights.ts";
import { createServices } from "./services.ts";
import { trafficOf } from "./traffic.ts";
import { createTransports } from "./transports.ts";
import type { Realtime, RealtimeOptions, RealtimeStats } from "./types.ts";
import { createUserEvents } from "./user_events.ts";

/** Milliseconds over which clients are asked to reconnect after broadcasts may have been lost. */
const RESYNC_MS = 2000;

export function createRealtime(options: RealtimeOptions): Realtime {
  const { bus, broker, queries, timeouts, onError } = options;
  let isDraining = false;
  const core = createCore(options);
  const { hub, nodes, wheel, presence, events } = core;
  const services = createServices(options, core);
  const transports = createTransports(options, core, services, () => isDraining);
  const { admission, sockets, socketIo } = transports;

  const { disconnect, disconnectLocal } = createDisconnects({
    hub,
    nodes,
    endRecoveryWhere: socketIo.endRecoveryWhere,
  });
  deliverDomainEvents({
    bus,
    clusterEvents: events,
    logAfter: queries.logAfter,
    hub,
    wheel,
    presence,
    unreadCounts: queries.unreadCounts,
    onError,
  });
  events.on("conversation.opened", ({ conversationId, contactId }, isLocal) => {
    socketIo.conversationOpened(contactId, conversationId, isLocal);
  });
  followRights({ events, hub, disconnectLocal, socketIo });
  // A client that reconnects recovers by its position, or gets a snapshot.
  nodes.onLost(() => {
    if (!isDraining) requestReconnects(hub, wheel, CLOSE.resync, RESYNC_MS);
  });
  nodes.onLost(socketIo.endAllRecovery);
  const stopHeartbeat = startHeartbeat({
    hub,
    everyMs: timeouts.heartbeatMs,
    positions: queries.positions,
    onBeat: services.authenticator.checkExpiry,
    onError,
  });

  const openSockets = () => sockets.size + socketIo.engineSessions;

  function stats(): RealtimeStats {
    const closing = sockets.size + socketIo.connections - hub.connections.size;
    return {
      connections: hub.connections.size,
      authenticatedUsers: presence.localCount(),
      rooms: hub.roomCount,
      nodesConnected: broker.isSingleNode ? null : broker.connected,
      broker: broker.stats ?? null,
      nodes: { count: nodes.others().length + 1, silenceMs: nodes.silenceMs() },
      ...hub.counters,
      unauthenticated: admission.unauthenticated,
      lingering: socketIo.lingering + Math.max(0, closing),
    };
  }

  return {
    disconnect,
    ...createUserEvents(hub),
    connectionsOf: services.counts.connectionsOf,
    connectionStats: services.counts.stats,
    gauges: services.counts.gauges,
    absenceOf: presence.absence,
    serves: transports.serves,
    upgrade: transports.handle,
    stats,
    setMemoryPressure: admission.setMemoryPressure,
    traffic: () => trafficOf(hub),
    get draining() {
      return isDraining;
    },

    async drain() {
      isDraining = true;
      stopHeartbeat();
      await drainConnections({ hub, wheel, drainMs: timeouts.drainMs, openSockets });
      await socketIo.close();
    },

    async close() {
      // Writes since the drain may have set timers.
      wheel.stop();
      nodes.close();
      await hub.close();
    },
  };
}
