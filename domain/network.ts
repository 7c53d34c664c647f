/** Addresses as numbers, and the networks by which limits count. */

export interface Bits {
  value: bigint;
  size: 32 | 128;
}

const V4 = /^\d{1,3}(?:\.\d{1,3}){3}$/;

/** The IPv4 addresses that are written as IPv6: ::ffff:0:0/96. */
const MAPPED = 0xffffn;

/** Bits of an IPv6 address that name the network: what one customer gets at least (RFC 6177). */
const NETWORK_BITS = 64n;

/**
 * An IPv4 or IPv6 address, also with a zone ("fe80::1%eth0"); one that is mapped into IPv6 is the
 * IPv4 that it stands for. Null for what is no address.
 */
export function parseAddress(text: string): Bits | null {
  const address = text.toLowerCase().replace(/%.*$/, "");
  if (V4.test(address)) {
    const parts = address.split(".").map(Number);
    if (parts.some((part) => part > 255)) return null;
    return { value: parts.reduce((sum, part) => sum * 256n + BigInt(part), 0n), size: 32 };
  }
  if (!address.includes(":")) return null;
  const value = parseV6(address);
  if (value === null) return null;
  return value >> 32n === MAPPED ? { value: value & 0xffffffffn, size: 32 } : { value, size: 128 };
}

function parseV6(text: string): bigint | null {
  // The last 32 bits may be written as IPv4.
  const tail4 = /^(.*:)([\d.]+\.[\d.]+)$/.exec(text);
  let address = text;
  if (tail4 !== null) {
    const last = parseAddress(tail4[2]!);
    if (last === null) return null;
    address = `${tail4[1]}${(last.value >> 16n).toString(16)}:${
      (last.value & 0xffffn).toString(16)
    }`;
  }
  if (!/^[0-9a-f:]+$/.test(address)) return null;
  const halves = address.split("::");
  if (halves.length > 2) return null;
  const groupsOf = (half: string | undefined) =>
    half === undefined || half === "" ? [] : half.split(":");
  const head = groupsOf(halves[0]);
  const tail = groupsOf(halves[1]);
  const gap = 8 - head.length - tail.length;
  if (gap < 0 || (halves.length === 1 && gap !== 0)) return null;
  const groups = [...head, ...Array<string>(gap).fill("0"), ...tail];
  if (groups.some((group) => group === "" || group.length > 4)) return null;
  return groups.reduce((sum, group) => sum * 65536n + BigInt(`0x${group}`), 0n);
}

/**
 * What a limit counts an address as: an IPv4 address itself, and the /64 of an IPv6 address, because
 * everybody who has one address of a /64 has all of them. What is no address is its own network.
 */
export function networkOf(address: string): string {
  const bits = parseAddress(address);
  if (bits === null) return address;
  if (bits.size === 32) {
    return [24n, 16n, 8n, 0n].map((shift) => bits.value >> shift & 255n).join(".");
  }
  const network = bits.value >> NETWORK_BITS;
  return [48n, 32n, 16n, 0n].map((shift) => (network >> shift & 0xffffn).toString(16)).join(":") +
    "::/64";
}
