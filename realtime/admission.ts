/** Which sockets are accepted: the rate of new ones, how many are not authenticated, and memory. */
import { CLOSE } from "../protocol/close_codes.ts";
import { ParleyError, toParleyError } from "../protocol/errors.ts";
import { type ClientSlot, createCapacity } from "../domain/capacity.ts";
import type { Metrics } from "../domain/metrics.ts";
import { KeyedLimiter, NetworkLimiter } from "../domain/rate_limit.ts";
import type { Peer } from "./address.ts";
import type { ReportRefusal } from "./handshake_refusals.ts";
import type { Hub } from "./hub.ts";
import type { AdmissionSettings } from "./types.ts";
import { refuse } from "./upgrade.ts";

/** When a client should retry that is refused because memory is short. */
const MEMORY_RETRY_MS = 5000;

/** New sockets of one agent, for each that a network may have: several tabs, reloaded. */
const USER_SHARE = 3;

type Client = Pick<Peer, "address" | "isLoopback">;

export interface Admission {
  /** Counts a new socket. @returns 0, or the milliseconds after which one is accepted. */
  takeConnection(peer: Client): number;
  /** Counts a socket that is not authenticated. @throws {ParleyError} past a limit. */
  takeSlot(peer: Client): ClientSlot;
  /** For a new Socket.IO connection: null, or the refusal. */
  check(request: Request, peer: Client & Pick<Peer, "selfOrigin">): Promise<Response | null>;
  /** @returns how many connections were ended that are not authenticated. */
  setMemoryPressure(isShort: boolean): number;
  /** How many sockets count as not authenticated. */
  readonly unauthenticated: number;
}

export interface AdmissionOptions {
  hub: Hub;
  metrics: Pick<Metrics, "refusals">;
  settings: AdmissionSettings;
  authTimeoutMs: number;
  isDraining: () => boolean;
  originAllowed: (check: { origin: string | null; self: string }) => Promise<boolean>;
  reportRefusal: ReportRefusal;
}

export function createAdmission(options: AdmissionOptions): Admission {
  const { hub, metrics, settings, originAllowed, reportRefusal } = options;
  const rate = new NetworkLimiter(settings.connectionsPerMinute);
  /** Agents share their office's network, so each of them is counted alone. */
  const byUser = new KeyedLimiter(settings.connectionsPerMinute * USER_SHARE);
  const capacity = createCapacity({
    what: "open the connection",
    total: { limit: "MAX_UNAUTHENTICATED_SOCKETS", max: settings.unauthenticated.total },
    perNetwork: {
      limit: "MAX_UNAUTHENTICATED_SOCKETS_PER_NETWORK",
      max: settings.unauthenticated.perNetwork,
    },
    code: "too_many_connections",
    retryAfterMs: options.authTimeoutMs,
  });
  let isMemoryShort = false;

  function memoryError(action: string): ParleyError {
    return new ParleyError("overloaded", `Cannot ${action}: memory is short`, {
      retryAfter: MEMORY_RETRY_MS,
      limit: "MEMORY_GUARD_PERCENT",
    });
  }

  function takeConnection({ address, isLoopback }: Client): number {
    const wait = settings.exemptLoopback && isLoopback ? 0 : rate.take(address);
    if (wait > 0) metrics.refusals.inc({ limit: "LIMIT_CONNECTIONS_PER_MINUTE" });
    return wait;
  }

  return {
    takeConnection,

    takeSlot({ address, isLoopback }) {
      try {
        if (isMemoryShort) throw memoryError("open the connection");
        const slot = capacity.take(
          address,
          isLoopback && settings.unauthenticated.exemptLoopback,
        );
        return {
          release: () => slot.release(),
          countByUser(userId) {
            if (settings.exemptLoopback && isLoopback) return 0;
            rate.giveBack(address);
            const wait = byUser.take(userId);
            if (wait > 0) metrics.refusals.inc({ limit: "LIMIT_CONNECTIONS_PER_MINUTE" });
            return wait;
          },
        };
      } catch (error) {
        metrics.refusals.inc({ limit: toParleyError(error).limit ?? "unknown" });
        throw error;
      }
    },

    async check(request, peer) {
      if (options.isDraining()) return refuse(503, "Server is restarting", { "retry-after": "1" });
      const origin = request.headers.get("origin");
      if (!await originAllowed({ origin, self: peer.selfOrigin })) {
        const path = new URL(request.url).pathname;
        reportRefusal({ reason: "origin", address: peer.address, origin, path });
        return refuse(403, `Cannot connect: "${origin}" is not an allowed origin`);
      }
      const wait = takeConnection(peer);
      const seconds = String(Math.ceil(wait / 1000));
      return wait === 0 ? null : refuse(429, "Rate limit exceeded", { "retry-after": seconds });
    },

    setMemoryPressure(isShort) {
      const begins = isShort && !isMemoryShort;
      isMemoryShort = isShort;
      if (!begins) return 0;
      const unauthenticated = [...hub.connections].filter(({ principal }) => principal === null);
      const error = memoryError("go on");
      for (const connection of unauthenticated) connection.fail(error, CLOSE.overloaded);
      return unauthenticated.length;
    },

    get unauthenticated() {
      return capacity.size;
    },
  };
}
