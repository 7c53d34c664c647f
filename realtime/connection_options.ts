import type { ClientSlot } from "../domain/capacity.ts";
import type { ConnectionLimits } from "./connection_limits.ts";
import type { WireProtocol } from "./wire_protocol.ts";
import type { ConnectionWriter, SocketLike } from "./writer.ts";

/** `Connection` is the class of connection.ts. */
export interface ConnectionOptions<Connection> {
  id: string;
  /** Counts up. It spreads connections over the slots of the heartbeat. */
  number: number;
  socket: SocketLike;
  protocol: WireProtocol<Connection>;
  limits: ConnectionLimits;
  address: string;
  origin: string | null;
  /** The origin under which the client reached this server. */
  selfOrigin: string;
  /** Counts it as not authenticated. Default: it is not counted. */
  slot?: ClientSlot | undefined;
  events: ConnectionEvents<Connection>;
  now?: () => number;
}

/** What connections report; one object for all of them. */
export interface ConnectionEvents<Connection> {
  /** The reader does not keep up. */
  onSlow: (connection: Connection) => void;
  /** The writer's queue has to be pumped. */
  onWaiting: (writer: ConnectionWriter) => void;
  onError: (error: unknown, connection: Connection) => void;
  /** A command was refused because of a rate; `limit` is the setting. */
  onRateLimited?: (limit: string, connection: Connection) => void;
  /** An error with this code was sent to the peer. */
  onErrorSent?: (code: string, connection: Connection) => void;
}
