/** What all formats of pictures have in common. */
import { ParleyError } from "../../protocol/errors.ts";
import type { ByteReader } from "./byte_reader.ts";

/** What a picture turns out to be, once it was read. */
export interface Picture {
  /** Pixels as they are shown; 0: not known yet. */
  width: number;
  height: number;
}

/** Copies a picture. Sets the size as soon as it is known, before most of the bytes are read. */
export type Cleaner = (reader: ByteReader, picture: Picture) => AsyncGenerator<Uint8Array>;

export function damaged(): ParleyError {
  return new ParleyError("invalid", "Cannot take the file: the picture is damaged");
}

/** Big-endian. */
export function uint32(bytes: Uint8Array, at = 0): number {
  if (bytes.length < at + 4) throw damaged();
  return (bytes[at]! << 24 | bytes[at + 1]! << 16 | bytes[at + 2]! << 8 | bytes[at + 3]!) >>> 0;
}

/** Big-endian. */
export function uint16(bytes: Uint8Array, at = 0): number {
  if (bytes.length < at + 2) throw damaged();
  return bytes[at]! << 8 | bytes[at + 1]!;
}

export function fourCharacters(bytes: Uint8Array, at = 0): string {
  return String.fromCharCode(...bytes.subarray(at, at + 4));
}
