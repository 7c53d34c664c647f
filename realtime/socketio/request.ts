import type { Peer } from "../address.ts";
import type { EngineRequest } from "./types.ts";

/** The request that opens a session, as it is kept with it: the runtime's own is gone after it. */
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
    isLoopback: peer.isLoopback,
    connection: { encrypted: peer.selfOrigin.startsWith("https:") },
  };
}
