import { createRanges, parseAddress } from "../domain/network.ts";

/** Where a request comes from. Headers are used only of trusted proxies. */
export interface Peer {
  /** The client's address. */
  address: string;
  /** "https://host" under which the client reached this server. */
  selfOrigin: string;
  /** The peer is on this machine, and not a trusted proxy. */
  isLoopback: boolean;
  /** Besides, the request is addressed to this machine, not to the name of a website. */
  isLocal: boolean;
}

export interface PeerReader {
  (request: Request, remote: string): Peer;
}

/**
 * Headers of a peer that is not a trusted proxy are ignored. X-Forwarded-For is read from its end,
 * as far as every hop is trusted.
 *
 * @param hosted a platform terminates TLS and passes the client as the peer, as Deno Deploy does.
 *   Its connections may not be TCP, so the scheme of a request's URL is not used.
 */
export function createPeerReader(
  trustedProxies: readonly string[],
  { hosted = false, ownOrigin }: {
    hosted?: boolean;
    /** The server's own origin, whatever a Host header says; default: as the header says. */
    ownOrigin?: string | undefined;
  } = {},
): PeerReader {
  const isTrusted = createRanges(trustedProxies);
  return (request, remote) => {
    const direct = plain(remote);
    const url = new URL(request.url);
    const host = request.headers.get("host") ?? url.host;
    const own = hosted || url.protocol === "https:" ? "https:" : "http:";
    const isLoopback = !hosted && (direct === "127.0.0.1" || direct === "::1");
    if (!isTrusted(direct)) {
      return {
        address: direct,
        selfOrigin: ownOrigin ?? `${own}//${host}`,
        isLoopback,
        isLocal: isLoopback && !isForwarded(request) && LOCAL_HOST.test(host),
      };
    }
    const hops = (request.headers.get("x-forwarded-for") ?? "").split(",")
      .map((hop) => plain(hop.trim())).filter((hop) => hop !== "");
    let address = direct;
    for (let i = hops.length - 1; i >= 0; i--) {
      if (parseAddress(hops[i]!) === null) break;
      address = hops[i]!;
      if (!isTrusted(address)) break;
    }
    const scheme = request.headers.get("x-forwarded-proto")?.split(",")[0]?.trim();
    const protocol = scheme === "https" || scheme === "http" ? `${scheme}:` : own;
    return {
      address,
      selfOrigin: ownOrigin ??
        `${protocol}//${request.headers.get("x-forwarded-host") ?? host}`,
      isLoopback: false,
      isLocal: false,
    };
  };
}

/** Whether an address is of this machine or of a private network. */
export const isPrivateAddress = createRanges([
  "127.0.0.0/8",
  "10.0.0.0/8",
  "172.16.0.0/12",
  "192.168.0.0/16",
  "::1",
  "fc00::/7",
]);

/** Names of this machine in a Host header. */
const LOCAL_HOST = /^(?:localhost|127\.0\.0\.1|\[::1\])(?::\d+)?$/i;

/** Headers that proxies add; some add only one of these. */
const FORWARDING = [
  "forwarded",
  "via",
  "x-client-ip",
  "x-forwarded-for",
  "x-forwarded-host",
  "x-forwarded-port",
  "x-forwarded-proto",
  "x-forwarded-server",
  "x-real-ip",
];

/** Whether a proxy, trusted or not, has forwarded the request. */
export function isForwarded(request: Request): boolean {
  return FORWARDING.some((name) => request.headers.has(name));
}

/** Without brackets, port and IPv4-in-IPv6 prefix. */
function plain(address: string): string {
  const bracketed = /^\[(.+)\](?::\d+)?$/.exec(address);
  const bare = bracketed === null
    ? address.replace(/^(\d+\.\d+\.\d+\.\d+):\d+$/, "$1")
    : bracketed[1]!;
  const lower = bare.toLowerCase();
  // IPv4 in IPv6 is ::ffff:1.2.3.4 or, from some proxies, ::ffff:102:304.
  if (!lower.includes(":")) return lower;
  const parsed = parseAddress(lower);
  return parsed?.family === "ipv4" ? parsed.text : lower;
}
