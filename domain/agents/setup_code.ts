import { createHmac, timingSafeEqual } from "node:crypto";

/** Without letters and digits that look alike. */
const ALPHABET = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789";
const GROUPS = 3;
const GROUP = 4;

/**
 * The code that a set-up from another machine needs, such as "7KQM-XD3F-PB9H": 60 bits, the same on
 * all nodes with the same key. It is used while there is no user.
 */
export function setupCode(key: string): string {
  const bytes = createHmac("sha256", key).update("set-up code").digest();
  const letters = Array.from(
    bytes.subarray(0, GROUPS * GROUP),
    (byte) => ALPHABET[byte % ALPHABET.length],
  ).join("");
  return letters.match(/.{4}/g)!.join("-");
}

/** Compares as people type: in either case, with or without the hyphens. */
export function isSetupCode(key: string, given: string): boolean {
  const plain = (text: string) =>
    createHmac("sha256", key).update(text.toUpperCase().replace(/[^A-Z0-9]/g, "")).digest();
  return timingSafeEqual(plain(given), plain(setupCode(key)));
}
