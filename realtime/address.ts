import { createRanges, parseAddress } from "../domain/network.ts";

/** Where a request comes from, behind trusted proxies only. */
export interface Peer {
  /** The client's address. */
  address: string;
  /** "https://host" under which the client reached this server. */
  selfOrigin: string;
  /** True for a peer on this machine that no proxy stands before. */
  isLoopback: boolean;
  /** True where that peer also asked for this machine by name: no other website's name led here. */
  isLocal: boolean;
}

export interface PeerReader {
  (request: Request, remote: string): Peer;
}

/**
 * A header from an untrusted peer changes nothing: X-Forwarded-For is read from its end, only as
 * far as every hop is on the list.
 *
 * @param hosted a platform ends TLS before this process and names the client as its peer, as Deno
 *   Deploy does. Its connections need not be TCP, so a request's address says nothing of the scheme.
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

/** Names of this machine, as they stand in a Host header. */
const LOCAL_HOST = /^(?:localhost|127\.0\.0\.1|\[::1\])(?::\d+)?$/i;

/** What proxies add; some add but one of these. */
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

/** Whether some proxy, trusted or not, says that it passes the request on. */
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
  // Written as ::ffff:1.2.3.4 or, by some proxies, as ::ffff:102:304.
  if (!lower.includes(":")) return lower;
  const parsed = parseAddress(lower);
  return parsed?.family === "ipv4" ? parsed.text : lower;
}
