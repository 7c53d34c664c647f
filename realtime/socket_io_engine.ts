/** The Engine.IO server of `/socket.io/`, with this server's limits, origins and refusals. */
import {
  createEngine,
  type Engine,
  type EngineErrorName,
  type EngineOptions,
  type Peer,
} from "../engineio/mod.ts";
import { isBriefOutage } from "../protocol/errors.ts";
import type { Slot } from "../domain/capacity.ts";
import type { PeerReader } from "./address.ts";
import type { ConnectionLimits } from "./connection_limits.ts";
import type { HandshakeReason, ReportRefusal } from "./handshake_refusals.ts";
import type { TimerWheel } from "./timer_wheel.ts";
import type { RealtimeTimeouts } from "./types.ts";
import { refuseWith } from "./upgrade.ts";

const PATH = "/socket.io/";

export function isSocketIo(path: string): boolean {
  return `${path}/`.startsWith(PATH);
}

export interface SocketIoEngineOptions {
  wheel: TimerWheel;
  limits: ConnectionLimits;
  timeouts: Pick<RealtimeTimeouts, "authMs" | "heartbeatMs">;
  peer: PeerReader;
  /** Counts a session, or a WebSocket of one, that is not authenticated. @throws {ParleyError} */
  takeSlot: (peer: Peer) => Slot;
  /** For each new session; a response is a refusal. */
  allow: EngineOptions["allow"];
  reportRefusal: ReportRefusal;
  originAllowed: (check: { origin: string | null; self: string }) => Promise<boolean>;
  onError: (error: unknown, context?: Record<string, unknown>) => void;
}

/** The engine's refusals that are reported to the operator. */
const REASONS: Partial<Record<EngineErrorName, HandshakeReason>> = {
  unsupportedVersion: "engine_io_version",
  unknownTransport: "transport",
  badHandshakeMethod: "method",
  full: "full",
  unknownSession: "session",
};

export function createSocketIoEngine(options: SocketIoEngineOptions): Engine {
  const { limits, timeouts } = options;
  return createEngine({
    path: PATH,
    // The runtime also ends a dead WebSocket, after twice this time.
    pingIntervalMs: timeouts.heartbeatMs,
    pingTimeoutMs: timeouts.heartbeatMs,
    // Up to this size the hub answers that a message is too large, before it closes the connection.
    maxPayload: 4 * limits.messageBytes,
    upgradeTimeoutMs: timeouts.authMs,
    // The hub's writer stops long before. This bound is for an answer that is sent as one long
    // text.
    maxBufferedBytes: 4 * limits.queueBytes,
    timers: options.wheel,
    peer: options.peer,
    allow: options.allow,
    onRefused(name, request, { address }, sent) {
      const reason = REASONS[name];
      const origin = request.headers.get("origin");
      if (reason !== undefined) {
        options.reportRefusal({ reason, address, origin, path: PATH, sent });
      }
    },
    takeSlot(peer) {
      try {
        return options.takeSlot(peer);
      } catch (error) {
        return refuseWith(error);
      }
    },
    errorResponse: (error) => isBriefOutage(error) ? refuseWith(error) : null,
    cors: (origin, { selfOrigin }) => options.originAllowed({ origin, self: selfOrigin }),
    onError: options.onError,
  });
}
