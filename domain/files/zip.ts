/**
 * A ZIP archive as a stream, of entries whose sizes are not known before (APPNOTE.TXT 6.3.10: local
 * headers, deflated data, data descriptors, central directory). Without ZIP64: up to 65,535 entries
 * and 4 GiB.
 */
import { crc32 } from "node:zlib";

export interface ZipEntry {
  /** With "/" between folders. */
  name: string;
  content: ReadableStream<Uint8Array>;
}

interface Written {
  name: Uint8Array;
  offset: number;
  crc: number;
  size: number;
  packed: number;
}

const LOCAL = 0x04034b50;
const DESCRIPTOR = 0x08074b50;
const CENTRAL = 0x02014b50;
const END = 0x06054b50;
const VERSION = 20;
/** Bit 3: sizes follow the data; bit 11: names are UTF-8. */
const FLAGS = 0x0808;
const DEFLATE = 8;

export function zipOf(
  entries: AsyncIterable<ZipEntry>,
  at: Date = new Date(),
): ReadableStream<Uint8Array> {
  return ReadableStream.from(write(entries, dosTime(at)));
}

async function* write(
  entries: AsyncIterable<ZipEntry>,
  time: number,
): AsyncGenerator<Uint8Array> {
  const written: Written[] = [];
  let offset = 0;
  for await (const { name: text, content } of entries) {
    const name = new TextEncoder().encode(text);
    const entry: Written = { name, offset, crc: 0, size: 0, packed: 0 };
    const head = record(
      [4, LOCAL],
      [2, VERSION],
      [2, FLAGS],
      [2, DEFLATE],
      [4, time],
      [4, 0],
      [4, 0],
      [4, 0],
      [2, name.length],
      [2, 0],
    );
    yield head;
    yield name;
    const measured = content.pipeThrough(
      new TransformStream<Uint8Array, Uint8Array<ArrayBuffer>>({
        transform(chunk, controller) {
          entry.crc = crc32(chunk, entry.crc);
          entry.size += chunk.byteLength;
          controller.enqueue(chunk as Uint8Array<ArrayBuffer>);
        },
      }),
    );
    for await (const chunk of measured.pipeThrough(new CompressionStream("deflate-raw"))) {
      entry.packed += chunk.byteLength;
      yield chunk;
    }
    const tail = record([4, DESCRIPTOR], [4, entry.crc], [4, entry.packed], [4, entry.size]);
    yield tail;
    offset += head.length + name.length + entry.packed + tail.length;
    written.push(entry);
  }
  let size = 0;
  for (const { name, offset: start, crc, packed, size: bytes } of written) {
    const head = record(
      [4, CENTRAL],
      [2, VERSION],
      [2, VERSION],
      [2, FLAGS],
      [2, DEFLATE],
      [4, time],
      [4, crc],
      [4, packed],
      [4, bytes],
      [2, name.length],
      [2, 0],
      [2, 0],
      [2, 0],
      [2, 0],
      [4, 0],
      [4, start],
    );
    yield head;
    yield name;
    size += head.length + name.length;
  }
  const count = written.length;
  yield record([4, END], [2, 0], [2, 0], [2, count], [2, count], [4, size], [4, offset], [2, 0]);
}

/** Little-endian numbers, each with its bytes. */
function record(...fields: [bytes: 2 | 4, value: number][]): Uint8Array {
  const view = new DataView(new ArrayBuffer(fields.reduce((sum, [bytes]) => sum + bytes, 0)));
  let at = 0;
  for (const [bytes, value] of fields) {
    if (bytes === 2) view.setUint16(at, value, true);
    else view.setUint32(at, value, true);
    at += bytes;
  }
  return new Uint8Array(view.buffer);
}

/** The date and time of MS-DOS in UTC: two seconds exactly, from 1980 on. */
function dosTime(at: Date): number {
  const day = ((at.getUTCFullYear() - 1980) << 9) | ((at.getUTCMonth() + 1) << 5) | at.getUTCDate();
  const time = (at.getUTCHours() << 11) | (at.getUTCMinutes() << 5) | (at.getUTCSeconds() >> 1);
  return ((day << 16) | time) >>> 0;
}
