import type { Connection } from "./connection.ts";
import type { WireProtocol } from "./wire_protocol.ts";

/** A wire protocol of the hub's connections. */
export type Protocol = WireProtocol<Connection>;
