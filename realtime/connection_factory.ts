import type { Metrics } from "../domain/metrics.ts";
import type { Authenticator } from "./authenticator.ts";
import { Connection } from "./connection.ts";
import type { ConnectionLimits } from "./connection_limits.ts";
import type { ConnectionEvents } from "./connection_options.ts";
import type { Hub } from "./hub.ts";
import { logRefused } from "./log.ts";
import type { Protocol } from "./protocol.ts";
import type { PeerInfo } from "./upgrade.ts";
import type { SocketLike } from "./writer.ts";

export interface ConnectionFactory {
  connect(socket: SocketLike, protocol: Protocol, from: PeerInfo): Connection;
  /** The socket is open: the connection is in the hub, and has to authenticate. */
  opened(connection: Connection): void;
}

export interface ConnectionFactoryOptions {
  node: string;
  hub: Hub;
  authenticator: Authenticator;
  limits: ConnectionLimits;
  metrics: Pick<Metrics, "errors" | "refusals">;
  onError: (error: unknown, context?: Record<string, unknown>) => void;
}

/** Creates connections with an id, the limits and the event listeners that all of them share. */
export function createConnectionFactory(options: ConnectionFactoryOptions): ConnectionFactory {
  const { node, hub, authenticator, limits, metrics, onError } = options;
  let lastNumber = 0;
  const events: ConnectionEvents<Connection> = {
    onSlow: (connection) => hub.closeSlow(connection),
    onWaiting: (writer) => hub.pumpLater(writer),
    onError: (error, connection) => onError(error, { connection: connection.id }),
    onErrorSent: (code, { protocol }) => metrics.errors.inc({ code, protocol: protocol.name }),
    onRateLimited(limit, connection) {
      metrics.refusals.inc({ limit });
      logRefused(connection, limit);
    },
  };

  return {
    connect(socket, protocol, from) {
      const number = ++lastNumber;
      return new Connection({
        id: `${node}-${number}`,
        number,
        socket,
        protocol,
        limits,
        ...from,
        events,
      });
    },

    opened(connection) {
      hub.add(connection);
      authenticator.startDeadline(connection);
      connection.protocol.onOpen(connection);
    },
  };
}
