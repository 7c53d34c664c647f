/**
 * WebP, by RFC 9649. The size of the whole file is at its beginning, so what is removed is overwritten
 * and keeps its place.
 */
import type { ByteReader } from "./byte_reader.ts";
import { damaged, fourCharacters, type Picture } from "./picture.ts";
import { isTurned, orientationIn, tiffWith } from "./orientation.ts";

const KEPT = new Set(["VP8 ", "VP8L", "ALPH", "ANIM", "ANMF", "ICCP"]);
const XMP_FLAG = 0x04;
/** Exif data that is larger is not read. */
const MAX_EXIF = 1_000_000;
const EXIF_PREFIX = "Exif\0\0";

export async function* cleanWebp(reader: ByteReader, picture: Picture): AsyncGenerator<Uint8Array> {
  const head = await reader.take(12);
  if (head.length < 12) throw damaged();
  yield head;
  let left = littleEndian(head, 4, 4) - 4;
  while (left >= 8) {
    const chunk = await reader.take(8);
    if (chunk.length < 8) return;
    const type = fourCharacters(chunk);
    const length = littleEndian(chunk, 4, 4);
    const padded = length + length % 2;
    left -= 8 + padded;
    if (picture.width === 0) setSize(picture, type, await reader.peek(10));
    if (type === "VP8X") {
      const data = (await reader.take(padded)).slice();
      data[0]! &= ~XMP_FLAG;
      yield chunk;
      yield data;
    } else if (KEPT.has(type)) {
      yield chunk;
      yield* reader.pass(padded);
    } else if (type === "EXIF" && length <= MAX_EXIF) {
      const data = await reader.take(padded);
      const orientation = orientationIn(withoutPrefix(data));
      if (isTurned(orientation)) {
        [picture.width, picture.height] = [picture.height, picture.width];
      }
      yield chunk;
      yield fit(tiffWith(orientation), padded);
    } else {
      chunk.set([..."JUNK"].map((character) => character.charCodeAt(0)));
      yield chunk;
      for await (const bytes of reader.pass(padded)) yield new Uint8Array(bytes.length);
    }
  }
}

function setSize(picture: Picture, type: string, data: Uint8Array): void {
  if (data.length < 10) throw damaged();
  if (type === "VP8X") {
    picture.width = littleEndian(data, 4, 3) + 1;
    picture.height = littleEndian(data, 7, 3) + 1;
  } else if (type === "VP8L") {
    const bits = littleEndian(data, 1, 4);
    picture.width = (bits & 0x3fff) + 1;
    picture.height = ((bits >>> 14) & 0x3fff) + 1;
  } else if (type === "VP8 ") {
    picture.width = littleEndian(data, 6, 2) & 0x3fff;
    picture.height = littleEndian(data, 8, 2) & 0x3fff;
  } else {
    throw damaged();
  }
  if (picture.width === 0 || picture.height === 0) throw damaged();
}

/** Some programs write the prefix that Exif data has in JPEG. */
function withoutPrefix(data: Uint8Array): Uint8Array {
  const prefix = String.fromCharCode(...data.subarray(0, EXIF_PREFIX.length));
  return prefix === EXIF_PREFIX ? data.subarray(EXIF_PREFIX.length) : data;
}

/** Followed by zeros; where there is no room, zeros alone. */
function fit(bytes: Uint8Array, length: number): Uint8Array {
  const whole = new Uint8Array(length);
  if (bytes.length <= length) whole.set(bytes);
  return whole;
}

function littleEndian(bytes: Uint8Array, at: number, count: number): number {
  let value = 0;
  for (let i = count - 1; i >= 0; i--) value = value * 256 + bytes[at + i]!;
  return value;
}
