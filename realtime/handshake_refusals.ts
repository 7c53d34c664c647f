/**
 * Handshakes that are refused for what they are: counted each, and told an operator, who otherwise
 * sees nothing of a website that cannot connect. Anybody can cause them, so the log has a bound.
 */
import { getLogger } from "@logtape/logtape";
import type { Metrics } from "../domain/metrics.ts";
import { KeyedLimiter } from "../domain/rate_limit.ts";

const logger = getLogger(["parley", "realtime"]);

/** Lines a minute of one network, and of all. */
const LINES_PER_NETWORK = 5;
const LINES = 60;
/** Characters of what a stranger sent that a line has. */
const MAX_SHOWN = 200;

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
  /** What was sent in place of what is needed. */
  sent?: string | null;
}

export type TellRefused = (refused: RefusedHandshake) => void;

export function createHandshakeRefusals(
  metrics: Pick<Metrics, "handshakes">,
  now: () => number = Date.now,
): TellRefused {
  const networks = new KeyedLimiter(LINES_PER_NETWORK, 60_000, { maxKeys: 1000, now });
  const all = new KeyedLimiter(LINES, 60_000, { maxKeys: 1, now });
  let unsaid = 0;

  return ({ reason, address, origin, path, sent = null }) => {
    metrics.handshakes.inc({ reason });
    // After a restart each client that polls asks for a session that is gone.
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
  return text === null ? null : text.toWellFormed().slice(0, MAX_SHOWN);
}
