/** Addresses, ranges of them, and the networks by which limits count. */
import { BlockList, isIP, isIPv4 } from "node:net";

export interface Address {
  /** IPv6 in the short form of RFC 5952. */
  text: string;
  family: "ipv4" | "ipv6";
}

/** IPv4 addresses in the form of IPv6: ::ffff:0:0/96. */
const MAPPED = /^::ffff:([0-9a-f]+):([0-9a-f]+)$/;

/**
 * Reads an IPv4 or IPv6 address, also with a zone ("fe80::1%eth0"). An IPv4 address that is mapped
 * into IPv6 becomes the IPv4 address. null: no address.
 */
export function parseAddress(text: string): Address | null {
  const bare = text.replace(/%.*$/, "");
  switch (isIP(bare)) {
    case 4:
      return { text: bare, family: "ipv4" };
    case 6: {
      const short = new URL(`http://[${bare}]`).hostname.slice(1, -1);
      const mapped = MAPPED.exec(short);
      if (mapped === null) return { text: short, family: "ipv6" };
      const bytes = mapped.slice(1).map((group) => parseInt(group, 16))
        .flatMap((group) => [group >> 8, group & 255]);
      return { text: bytes.join("."), family: "ipv4" };
    }
    default:
      return null;
  }
}

/** An address, or a range of them such as "10.0.0.0/8". */
export function isRange(text: string): boolean {
  return toSubnet(text) !== null;
}

/** Checks whether an address is in one of these ranges; false for what is no address. */
export function createRanges(ranges: readonly string[]): (address: string) => boolean {
  const list = new BlockList();
  for (const range of ranges) {
    const subnet = toSubnet(range);
    if (subnet === null) throw new TypeError(`Cannot read the address range "${range}"`);
    list.addSubnet(...subnet);
  }
  return (address) => {
    const parsed = parseAddress(address);
    return parsed !== null && list.check(parsed.text, parsed.family);
  };
}

function toSubnet(text: string): Parameters<BlockList["addSubnet"]> | null {
  const [address = "", length, rest] = text.split("/");
  if (isIP(address) === 0 || rest !== undefined || !/^\d{1,3}$/.test(length ?? "0")) return null;
  const family = isIPv4(address) ? "ipv4" : "ipv6";
  const bits = family === "ipv4" ? 32 : 128;
  const prefix = Number(length ?? bits);
  return prefix <= bits ? [address, prefix, family] : null;
}

/** Groups of an IPv6 address that identify the network: a customer gets at least a /64 (RFC 6177). */
const NETWORK_GROUPS = 4;

/**
 * The key by which limits count an address: an IPv4 address itself, and the /64 of an IPv6 address,
 * because a customer with one address of a /64 has all of them. What is no address is its own key.
 */
export function networkOf(address: string): string {
  const parsed = parseAddress(address);
  if (parsed === null) return address;
  if (parsed.family === "ipv4") return parsed.text;
  const [head = [], tail = []] = parsed.text.split("::")
    .map((half) => half === "" ? [] : half.split(":"));
  const gap = Array<string>(8 - head.length - tail.length).fill("0");
  return [...head, ...gap, ...tail].slice(0, NETWORK_GROUPS).join(":") + "::/64";
}
