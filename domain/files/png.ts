/** PNG, by the third edition of its specification (W3C). */
import type { ByteReader } from "./byte_reader.ts";
import { damaged, fourCharacters, type Picture, uint32 } from "./picture.ts";
import { isTurned, orientationIn, tiffWith } from "./orientation.ts";

/** Chunks that the display needs; texts, times and all others are left out. */
const KEPT = new Set([
  ...["IHDR", "PLTE", "IDAT", "IEND", "tRNS"],
  ...["cHRM", "gAMA", "iCCP", "sBIT", "sRGB", "cICP", "mDCV", "cLLI"],
  ...["bKGD", "hIST", "pHYs", "sPLT", "acTL", "fcTL", "fdAT"],
]);
/** Exif data that is larger is not read. */
const MAX_EXIF = 1_000_000;

export async function* cleanPng(reader: ByteReader, picture: Picture): AsyncGenerator<Uint8Array> {
  yield await reader.take(8);
  for (;;) {
    const head = await reader.peek(8);
    if (head.length === 0) return;
    const length = uint32(head);
    const type = fourCharacters(head, 4);
    if (type === "IHDR") {
      const header = await reader.peek(16);
      [picture.width, picture.height] = [uint32(header, 8), uint32(header, 12)];
    }
    if (picture.width === 0 || picture.height === 0) throw damaged();
    if (KEPT.has(type)) {
      yield* reader.pass(length + 12);
    } else if (type === "eXIf" && length <= MAX_EXIF) {
      const chunk = await reader.take(length + 12);
      const orientation = orientationIn(chunk.subarray(8, 8 + length));
      if (isTurned(orientation)) {
        [picture.width, picture.height] = [picture.height, picture.width];
      }
      if (orientation > 1) yield chunkOf("eXIf", tiffWith(orientation));
    } else {
      await reader.skip(length + 12);
    }
    if (type === "IEND") return;
  }
}

function chunkOf(type: string, data: Uint8Array): Uint8Array {
  const chunk = new Uint8Array(data.length + 12);
  const view = new DataView(chunk.buffer);
  view.setUint32(0, data.length);
  for (let i = 0; i < 4; i++) chunk[4 + i] = type.charCodeAt(i);
  chunk.set(data, 8);
  view.setUint32(8 + data.length, crc(chunk.subarray(4, 8 + data.length)));
  return chunk;
}

/** The cyclic redundancy check of Annex D. */
function crc(bytes: Uint8Array): number {
  let value = 0xffffffff;
  for (const byte of bytes) {
    value ^= byte;
    for (let bit = 0; bit < 8; bit++) value = value & 1 ? 0xedb88320 ^ (value >>> 1) : value >>> 1;
  }
  return (value ^ 0xffffffff) >>> 0;
}
