/** The hub's log lines. They have ids of connections and users, and no content. */
import { getLogger } from "@logtape/logtape";
import type { Connection } from "./connection.ts";

const logger = getLogger(["parley", "realtime"]);

function about({ id, protocol, principal, address }: Connection) {
  return {
    connection: id,
    protocol: protocol.name,
    user: principal?.userId ?? null,
    role: principal?.kind ?? null,
    address,
  };
}

export function logAuthenticated(connection: Connection): void {
  logger.info("Connection authenticated", () => about(connection));
}

/** @param by the side that closed the connection */
export function logClosed(connection: Connection, code: number, by: "server" | "peer"): void {
  const { received, sent } = connection;
  logger.info("Connection closed", () => ({ ...about(connection), code, by, received, sent }));
}

export function logRefused(connection: Connection, limit: string): void {
  logger.warn("Refused because of a rate", () => ({ ...about(connection), limit }));
}

export function logMessage(connection: Connection, conversation: string, seq: number): void {
  logger.debug("Message stored", () => ({ ...about(connection), conversation, seq }));
}

/** Once for each outage. @param host without credentials */
export function logBrokerLost(host: string, reason: string): void {
  logger.error("Redis is away, so other nodes are not reached: {reason}", { host, reason });
}

export function logBrokerBack(host: string, ms: number): void {
  logger.warn("Redis is back", { host, ms: Math.round(ms) });
}
