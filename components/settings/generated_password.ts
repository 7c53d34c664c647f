/** Letters and digits that are not confused when read or written by hand. */
const ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789";
const GROUPS = 4;
const GROUP = 5;

/** Like "k7mqr-x2vbn-p9tdw-hc4fz": 99 bits from `random` bytes, uniform over the alphabet. */
export function generatePassword(
  random: (bytes: Uint8Array<ArrayBuffer>) => void = (bytes) => crypto.getRandomValues(bytes),
): string {
  // Bytes above the last whole multiple would make the first letters more likely.
  const limit = 256 - 256 % ALPHABET.length;
  const byte = new Uint8Array(1);
  const letter = (): string => {
    do random(byte); while (byte[0]! >= limit);
    return ALPHABET[byte[0]! % ALPHABET.length]!;
  };
  const group = () => Array.from({ length: GROUP }, letter).join("");
  return Array.from({ length: GROUPS }, group).join("-");
}
