import type { EngineRequest, Peer } from "./types.ts";

/** What is kept of the request that opens a session: the runtime discards the request itself. */
export function engineRequest(request: Request, url: URL, peer: Peer): EngineRequest {
  const query = Object.fromEntries(url.searchParams);
  return {
    method: request.method,
    url: url.pathname + url.search,
    headers: Object.fromEntries(request.headers),
    query,
    _query: query,
    address: peer.address,
    origin: request.headers.get("origin"),
    selfOrigin: peer.selfOrigin,
    connection: { encrypted: peer.selfOrigin.startsWith("https:") },
  };
}

/** Where a request comes from when no proxy is in between. */
export function directPeer(request: Request, remote: string): Peer {
  const { protocol, host } = new URL(request.url);
  return {
    address: remote,
    selfOrigin: `${protocol}//${request.headers.get("host") ?? host}`,
    isLoopback: remote === "127.0.0.1" || remote === "::1",
  };
}
