/**
 * UUID version 7 (RFC 9562): 48 bits of milliseconds, then a 12-bit counter that keeps the order
 * within one millisecond, then 62 random bits. Ids made by one process sort by creation.
 */
let lastMs = 0;
let counter = 0;

/** Random bytes for many ids at a time. */
const pool = new Uint8Array(16 * 256);
let unused = 0;

export function uuidv7(now: () => number = Date.now): string {
  if (unused === 0) {
    crypto.getRandomValues(pool);
    unused = pool.length;
  }
  unused -= 16;
  const bytes = pool.subarray(unused, unused + 16);
  const time = now();
  if (time > lastMs) {
    lastMs = time;
    counter = bytes[6]! & 0x07;
  } else if (++counter > 0xfff) {
    lastMs++;
    counter = 0;
  }
  const ms = lastMs;
  bytes[0] = ms / 2 ** 40;
  bytes[1] = ms / 2 ** 32;
  bytes[2] = ms / 2 ** 24;
  bytes[3] = ms / 2 ** 16;
  bytes[4] = ms / 2 ** 8;
  bytes[5] = ms;
  bytes[6] = 0x70 | (counter >> 8);
  bytes[7] = counter;
  bytes[8] = 0x80 | (bytes[8]! & 0x3f);
  const hex = bytes.toHex();
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${
    hex.slice(20)
  }`;
}
