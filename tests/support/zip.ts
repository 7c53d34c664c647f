import assert from "node:assert/strict";
import { crc32, inflateRawSync } from "node:zlib";

const CENTRAL = 0x02014b50;
const END = 0x06054b50;
const END_BYTES = 22;

/** The entries of a ZIP archive as texts, by name, as its central directory lists them. */
export function readZip(bytes: Uint8Array): Record<string, string> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const two = (at: number) => view.getUint16(at, true);
  const four = (at: number) => view.getUint32(at, true);
  const end = bytes.length - END_BYTES;
  assert.equal(four(end), END);
  let at = four(end + 16);
  assert.equal(at + four(end + 12), end, "the directory ends where the end begins");
  const found: Record<string, string> = {};
  for (let left = two(end + 10); left > 0; left--) {
    assert.equal(four(at), CENTRAL);
    const [packed, size, name] = [four(at + 20), four(at + 24), two(at + 28)];
    const local = four(at + 42);
    const start = local + 30 + two(local + 26) + two(local + 28);
    const content = inflateRawSync(bytes.subarray(start, start + packed));
    assert.deepEqual([content.length, crc32(content)], [size, four(at + 16)]);
    const text = (part: Uint8Array) => new TextDecoder().decode(part);
    found[text(bytes.subarray(at + 46, at + 46 + name))] = text(content);
    at += 46 + name + two(at + 30) + two(at + 32);
  }
  return found;
}
