/** JPEG, by ITU T.81 Annex B. */
import type { ByteReader } from "./byte_reader.ts";
import { damaged, type Picture, uint16 } from "./picture.ts";
import { isTurned, orientationIn, tiffWith } from "./orientation.ts";

const EXIF = "Exif\0\0";
const START = 0xd8;
const END = 0xd9;
const SCAN = 0xda;
const COMMENT = 0xfe;

/**
 * Keeps the segments that decoding needs: of the applications' ones those of JFIF, of colour profiles
 * and of Adobe's colours. Of Exif data the orientation stays. What follows the picture is left out,
 * too: cameras put other versions of it there, with Exif data of their own.
 */
export async function* cleanJpeg(
  reader: ByteReader,
  picture: Picture,
): AsyncGenerator<Uint8Array> {
  if (uint16(await reader.peek(2)) !== (0xff00 | START)) throw damaged();
  yield await reader.take(2);
  let orientation = 1;
  for (;;) {
    const marker = await takeMarker(reader);
    if (marker === null) return;
    if (marker === END) {
      yield Uint8Array.of(0xff, END);
      return;
    }
    const length = uint16(await reader.peek(2));
    if (length < 2) throw damaged();
    const segment = await reader.take(length);
    if (segment.length < length) throw damaged();
    const found = exifOrientation(marker, segment);
    if (found !== null && found > 1 && orientation === 1) {
      orientation = found;
      yield segmentOf(orientation);
    }
    if (isSize(marker)) setSize(picture, segment, orientation);
    if (!isKept(marker, segment)) continue;
    if (marker === SCAN && picture.width === 0) throw damaged();
    yield Uint8Array.of(0xff, marker);
    yield segment;
    if (marker === SCAN) yield* passScan(reader);
  }
}

/** null: the picture ends here, without the mark of its end. */
async function takeMarker(reader: ByteReader): Promise<number | null> {
  let [first, marker] = await reader.take(2);
  if (first === undefined) return null;
  if (first !== 0xff) throw damaged();
  // Any number of fill bytes.
  while (marker === 0xff) [marker] = await reader.take(1);
  return marker ?? null;
}

function exifOrientation(marker: number, segment: Uint8Array): number | null {
  if (marker !== 0xe1 || !startsWith(segment, EXIF)) return null;
  return orientationIn(segment.subarray(2 + EXIF.length));
}

function segmentOf(orientation: number): Uint8Array {
  const tiff = tiffWith(orientation);
  const length = 2 + EXIF.length + tiff.length;
  const exif = [...EXIF].map((character) => character.charCodeAt(0));
  return Uint8Array.of(0xff, 0xe1, length >> 8, length & 0xff, ...exif, ...tiff);
}

/** Start of frame, of any process. */
function isSize(marker: number): boolean {
  return marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);
}

function setSize(picture: Picture, segment: Uint8Array, orientation: number): void {
  const size = [uint16(segment, 5), uint16(segment, 3)];
  if (size.includes(0)) throw damaged();
  [picture.width, picture.height] = isTurned(orientation)
    ? [size[1]!, size[0]!]
    : [size[0]!, size[1]!];
}

function isKept(marker: number, segment: Uint8Array): boolean {
  if (marker === COMMENT) return false;
  if (marker < 0xe0 || marker > 0xef) return true;
  return marker === 0xe0 || marker === 0xee ||
    (marker === 0xe2 && startsWith(segment, "ICC_PROFILE"));
}

function startsWith(segment: Uint8Array, text: string): boolean {
  return String.fromCharCode(...segment.subarray(2, 2 + text.length)) === text;
}

/** The compressed data up to the next marker, which remains to be read. */
async function* passScan(reader: ByteReader): AsyncGenerator<Uint8Array> {
  for (;;) {
    const bytes = await reader.some();
    if (bytes === null) return;
    let at = 0;
    while ((at = bytes.indexOf(0xff, at)) >= 0 && at + 1 < bytes.length) {
      const next = bytes[at + 1]!;
      if (next === 0 || (next >= 0xd0 && next <= 0xd7)) at += 2;
      else if (next === 0xff) at++;
      else break;
    }
    if (at < 0) {
      yield bytes;
      continue;
    }
    yield bytes.subarray(0, at);
    reader.unread(bytes.subarray(at));
    if (at + 1 < bytes.length) return;
    const pair = await reader.peek(2);
    if (pair.length === 2) continue;
    return;
  }
}
