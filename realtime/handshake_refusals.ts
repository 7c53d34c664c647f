/**
 * Handshakes that are refused because of their content, such as the origin. Each is counted, and
 * logged for the operator of a website that cannot connect. Anybody can cause them, so the number
 * of log lines is bounded.
 */
import { getLogger } from "@logtape/logtape";
import type { Metrics } from "../domain/metrics.ts";
import { KeyedLimiter } from "../domain/rate_limit.ts";

const logger = getLogger(["parley", "realtime"]);

/** Lines a minute for one network, and for all. */
const LINES_PER_NETWORK = 5;
const LINES = 60;
/** Characters of what a client sent in one line. */
const MAX_LOGGED = 200;

export type HandshakeReason =
  | "origin"
  | "subprotocol"
  | "engine_io_version"
  | "transport"
  | "method"
  | "full"
  | "session";

export interface RefusedHandshake {
  reason: HandshakeReason;
  address: string;
  origin: string | null;
  path: string;
  /** The value that was sent and is not accepted. */
  sent?: string | null;
}

export type ReportRefusal = (refused: RefusedHandshake) => void;

export function createHandshakeRefusals(
  metrics: Pick<Metrics, "handshakes">,
  now: () => number = Date.now,
): ReportRefusal {
  const networks = new KeyedLimiter(LINES_PER_NETWORK, 60_000, { maxKeys: 1000, now });
  const all = new KeyedLimiter(LINES, 60_000, { maxKeys: 1, now });
  /** Refusals since the last line that were not logged. */
  let unsaid = 0;

  return ({ reason, address, origin, path, sent = null }) => {
    metrics.handshakes.inc({ reason });
    // After a restart every client that polls sends a session id that is not known any more.
    if (reason === "session") return;
    if (networks.take(address) > 0 || all.take("") > 0) {
      unsaid++;
      return;
    }
    logger.warn("Handshake refused: {reason}", {
      reason,
      address,
      origin: shorten(origin),
      path,
      sent: shorten(sent),
      unsaid,
    });
    unsaid = 0;
  };
}

function shorten(text: string | null): string | null {
  return text === null ? null : text.toWellFormed().slice(0, MAX_LOGGED);
}
