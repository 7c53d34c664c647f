/**
 * HEIC and AVIF, by ISO 14496-12 and 23008-12. Exif data and XMP are items whose bytes are elsewhere
 * in the file, at positions that the box "meta" has; they are overwritten with zeros. Which side is
 * up is a property of the picture itself.
 */
import { ParleyError } from "../../protocol/errors.ts";
import type { ByteReader } from "./byte_reader.ts";
import { damaged, fourCharacters, type Picture, uint16, uint32 } from "./picture.ts";

const MAX_META = 4_000_000;

/** Bytes of the file, from `start` up to `end`. */
interface Range {
  start: number;
  end: number;
}

export async function* cleanIsoImage(
  reader: ByteReader,
  picture: Picture,
): AsyncGenerator<Uint8Array> {
  let at = 0;
  let removed: Range[] | undefined;
  for (;;) {
    const head = await reader.peek(16);
    if (head.length === 0) return;
    const type = fourCharacters(head, 4);
    const length = boxLength(head, 0);
    if (type === "meta" && removed === undefined) {
      if (length > MAX_META) throw damaged();
      const meta = (await reader.take(length)).slice();
      if (meta.length < length) throw damaged();
      removed = readMeta(meta, at, picture);
      zero(meta, at, removed);
      yield meta;
    } else {
      if (type === "mdat" && removed === undefined) throw unreadable();
      let from = at;
      for await (const bytes of reader.pass(length)) {
        const copy = removed?.some(({ start, end }) => start < from + bytes.length && end > from)
          ? bytes.slice()
          : bytes;
        if (copy !== bytes) zero(copy, from, removed!);
        yield copy;
        from += bytes.length;
      }
    }
    at += length;
  }
}

function unreadable(): ParleyError {
  return new ParleyError(
    "invalid",
    "Cannot take the file: where the picture was taken cannot be removed from it (send it as JPEG)",
  );
}

/** Of the box there; Infinity: it goes on to the end of the file. */
function boxLength(bytes: Uint8Array, at: number): number {
  const short = uint32(bytes, at);
  if (short === 0) return Infinity;
  const length = short === 1 ? uint32(bytes, at + 8) * 2 ** 32 + uint32(bytes, at + 12) : short;
  if (length < 8) throw damaged();
  return length;
}

/** Boxes within a box, by type; each without its header. */
function boxesIn(bytes: Uint8Array, from: number): { type: string; start: number; end: number }[] {
  const boxes = [];
  for (let at = from; at + 8 <= bytes.length;) {
    const length = Math.min(boxLength(bytes, at), bytes.length - at);
    const header = uint32(bytes, at) === 1 ? 16 : 8;
    boxes.push({ type: fourCharacters(bytes, at + 4), start: at + header, end: at + length });
    at += length;
  }
  return boxes;
}

/** Sets the picture's size, and returns where the bytes of its metadata are. */
function readMeta(meta: Uint8Array, position: number, picture: Picture): Range[] {
  const boxes = boxesIn(meta, 12);
  const box = (type: string) => boxes.find((one) => one.type === type);
  const properties = box("iprp");
  if (properties !== undefined) {
    setSize(meta.subarray(0, properties.end), properties.start, picture);
  }
  if (picture.width === 0) throw damaged();
  const infos = box("iinf");
  const locations = box("iloc");
  if (infos === undefined || locations === undefined) throw damaged();
  const items = metadataItems(meta.subarray(0, infos.end), infos.start);
  const data = box("idat");
  return extentsOf(meta.subarray(0, locations.end), locations.start, items)
    .map(({ inMeta, start, end }) => {
      if (!inMeta) return { start, end };
      const base = position + (data?.start ?? 0);
      return { start: base + start, end: base + end };
    });
}

/** The largest picture's: the file has small ones, too. */
function setSize(bytes: Uint8Array, start: number, picture: Picture): void {
  const container = boxesIn(bytes, start).find(({ type }) => type === "ipco");
  if (container === undefined) return;
  let isTurned = false;
  for (const { type, start } of boxesIn(bytes.subarray(0, container.end), container.start)) {
    if (type === "irot") isTurned = (bytes[start]! & 1) === 1;
    if (type !== "ispe") continue;
    const [width, height] = [uint32(bytes, start + 4), uint32(bytes, start + 8)];
    if (width * height > picture.width * picture.height) Object.assign(picture, { width, height });
  }
  if (isTurned) [picture.width, picture.height] = [picture.height, picture.width];
}

/** Ids of the items that are Exif data or XMP. */
function metadataItems(bytes: Uint8Array, start: number): Set<number> {
  const isShort = bytes[start] === 0;
  const items = new Set<number>();
  for (const info of boxesIn(bytes, start + (isShort ? 6 : 8))) {
    if (info.type !== "infe") continue;
    const version = bytes[info.start]!;
    if (version < 2) throw unreadable();
    const id = version === 2 ? uint16(bytes, info.start + 4) : uint32(bytes, info.start + 4);
    const type = fourCharacters(bytes, info.start + (version === 2 ? 8 : 10));
    if (type === "Exif" || type === "mime" || type === "uri ") items.add(id);
  }
  return items;
}

/** Where the bytes of these items are: in the file, or in the box "idat". */
function extentsOf(
  bytes: Uint8Array,
  start: number,
  items: ReadonlySet<number>,
): (Range & { inMeta: boolean })[] {
  const version = bytes[start]!;
  const [offsetSize, lengthSize] = [bytes[start + 4]! >> 4, bytes[start + 4]! & 15];
  const [baseSize, indexSize] = [bytes[start + 5]! >> 4, version > 0 ? bytes[start + 5]! & 15 : 0];
  let at = start + 6;
  const take = (size: number) => {
    let value = 0;
    if (at + size > bytes.length) throw damaged();
    for (let i = 0; i < size; i++) value = value * 256 + bytes[at++]!;
    return value;
  };
  const found: (Range & { inMeta: boolean })[] = [];
  const idSize = version < 2 ? 2 : 4;
  for (let count = take(idSize); count > 0; count--) {
    const id = take(idSize);
    const method = version > 0 ? take(2) & 15 : 0;
    take(2);
    const base = take(baseSize);
    for (let extents = take(2); extents > 0; extents--) {
      take(indexSize);
      const from = base + take(offsetSize);
      const length = take(lengthSize);
      if (!items.has(id)) continue;
      if (method > 1) throw unreadable();
      found.push({
        start: from,
        end: length === 0 ? Infinity : from + length,
        inMeta: method === 1,
      });
    }
  }
  return found;
}

/** Overwrites what of the ranges is within these bytes, which begin at this position of the file. */
function zero(bytes: Uint8Array, position: number, ranges: readonly Range[]): void {
  for (const { start, end } of ranges) {
    const from = Math.max(0, start - position);
    const to = Math.min(bytes.length, end - position);
    if (from < to) bytes.fill(0, from, to);
  }
}
