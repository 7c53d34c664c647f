import { ParleyError, toParleyError } from "../protocol/errors.ts";
import { SESSION_ENTRY, TOKEN_ENTRY } from "../protocol/native.ts";
import type { ClientSlot } from "../domain/capacity.ts";
import type { Peer, PeerReader } from "./address.ts";
import type { Credentials } from "./credentials.ts";
import type { ReportRefusal } from "./handshake_refusals.ts";
import type { Protocol } from "./protocol.ts";

/** By path. Without a subprotocol, credentials may be in the URL. */
export type Endpoints = Record<string, { protocol: Protocol; subprotocol?: string }>;

/** What is known of a connection's peer. */
export interface PeerInfo {
  address: string;
  origin: string | null;
  selfOrigin: string;
  /** Released once it is authenticated. */
  slot?: ClientSlot;
}

/** A socket after the upgrade. */
export interface UpgradedSocket {
  socket: WebSocket;
  protocol: Protocol;
  from: PeerInfo;
  credentials: Credentials | null;
  /** The error to send and close with: a browser can read it only on an open socket. */
  refused: ParleyError | null;
}

export interface UpgradeOptions {
  endpoints: Endpoints;
  peer: PeerReader;
  originAllowed: (check: { origin: string | null; self: string }) => Promise<boolean>;
  /** Milliseconds after which a new socket of this peer is accepted; 0: now. */
  takeConnection: (peer: Peer) => number;
  /** Counts a socket that is not authenticated. @throws {ParleyError} past a limit. */
  takeSlot: (peer: Peer) => ClientSlot;
  /** Milliseconds without a frame or a pong after which the runtime drops the peer. */
  idleTimeoutMs: number;
  isDraining: () => boolean;
  reportRefusal: ReportRefusal;
  accept: (upgraded: UpgradedSocket) => void;
}

/** Answers upgrade requests, and refuses what can be refused before there is a socket. */
export function createUpgrade(options: UpgradeOptions) {
  const { endpoints, peer: readPeer, accept } = options;

  return async (request: Request, remote: string): Promise<Response> => {
    if (request.headers.get("upgrade")?.toLowerCase() !== "websocket") {
      return refuse(426, "This address takes WebSocket connections only", {
        upgrade: "websocket",
      });
    }
    if (options.isDraining()) return refuse(503, "Server is restarting", { "retry-after": "1" });
    const peer = readPeer(request, remote);
    const origin = request.headers.get("origin");
    if (!await options.originAllowed({ origin, self: peer.selfOrigin })) {
      options.reportRefusal({
        reason: "origin",
        address: peer.address,
        origin,
        path: pathOf(request),
      });
      return refuse(403, `Cannot connect: "${origin}" is not an allowed origin`);
    }
    const url = new URL(request.url);
    const { protocol, subprotocol } = endpoints[url.pathname]!;
    const offered = (request.headers.get("sec-websocket-protocol") ?? "")
      .split(",").map((entry) => entry.trim()).filter((entry) => entry !== "");
    if (subprotocol !== undefined && offered.length > 0 && !offered.includes(subprotocol)) {
      // What was offered may be a token.
      const { address } = peer;
      options.reportRefusal({ reason: "subprotocol", address, origin, path: url.pathname });
      return refuse(400, `Cannot connect: the subprotocol offered has to be "${subprotocol}"`);
    }
    let slot: ClientSlot;
    try {
      slot = options.takeSlot(peer);
    } catch (error) {
      return refuseWith(error);
    }
    const wait = options.takeConnection(peer);
    try {
      const { socket, response } = Deno.upgradeWebSocket(request, {
        ...(offered.length > 0 && subprotocol !== undefined ? { protocol: subprotocol } : {}),
        idleTimeout: Math.max(2, Math.ceil(options.idleTimeoutMs / 1000)),
      });
      accept({
        socket,
        protocol,
        from: { address: peer.address, origin, selfOrigin: peer.selfOrigin, slot },
        credentials: subprotocol === undefined
          ? credentialsInQuery(url.searchParams)
          : credentialsOf(offered),
        refused: wait === 0 ? null : tooManyConnections(wait),
      });
      return response;
    } catch (error) {
      slot.release();
      if (error instanceof TypeError) return refuse(400, "Cannot connect: not a valid upgrade");
      throw toParleyError(error);
    }
  };
}

function pathOf(request: Request): string {
  return new URL(request.url).pathname;
}

function tooManyConnections(retryAfter: number): ParleyError {
  return new ParleyError("rate_limited", "Rate limit exceeded", {
    retryAfter,
    limit: "LIMIT_CONNECTIONS_PER_MINUTE",
  });
}

/** A refusal as problem details, with the time after which to retry. */
export function refuseWith(thrown: unknown): Response {
  const { code, status, message: detail, retryAfter, limit } = toParleyError(thrown);
  const problem = { type: "about:blank", title: code, status, detail, code, retryAfter, limit };
  return new Response(JSON.stringify(problem), {
    status,
    headers: {
      "content-type": "application/problem+json",
      "cache-control": "no-store",
      ...(retryAfter === undefined ? {} : { "retry-after": `${Math.ceil(retryAfter / 1000)}` }),
    },
  });
}

/** A refusal in plain text. */
export function refuse(
  status: number,
  detail: string,
  headers: Record<string, string> = {},
): Response {
  return new Response(detail, {
    status,
    headers: { "content-type": "text/plain; charset=utf-8", ...headers },
  });
}

/**
 * For protocols with credentials in the URL. The native one has none there, because URLs are
 * logged.
 */
function credentialsInQuery(query: URLSearchParams): Credentials | null {
  const token = query.get("token");
  const sessionId = query.get("sessionId");
  const given = (name: string) => query.get(name) || undefined;
  if (token !== null && token !== "") {
    return {
      token,
      contextId: given("contextId"),
      lastSeq: given("lastSeq"),
      epoch: given("epoch"),
    };
  }
  return sessionId !== null && sessionId !== "" ? { sessionId } : null;
}

function credentialsOf(offered: string[]): Credentials | null {
  const given = (start: string) =>
    offered.find((entry) => entry.startsWith(start))?.slice(start.length) || undefined;
  // The token first, as in URLs.
  const token = given(TOKEN_ENTRY);
  if (token !== undefined) return { token };
  const sessionId = given(SESSION_ENTRY);
  return sessionId === undefined ? null : { sessionId };
}
