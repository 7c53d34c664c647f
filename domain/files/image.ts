/**
 * Pictures: their size from the header, and everything removed that they need not be shown, such as
 * where and with what they were taken. Nothing is decoded; the parts of the format are copied or not.
 */
import type { ByteReader } from "./byte_reader.ts";
import { cleanIsoImage } from "./iso_image.ts";
import { cleanJpeg } from "./jpeg.ts";
import { type Cleaner, damaged, type Picture } from "./picture.ts";
import { cleanPng } from "./png.ts";
import { cleanWebp } from "./webp.ts";

const CLEANERS: Readonly<Record<string, Cleaner>> = {
  "image/jpeg": cleanJpeg,
  "image/png": cleanPng,
  "image/webp": cleanWebp,
  "image/heic": cleanIsoImage,
  "image/avif": cleanIsoImage,
  "image/gif": cleanGif,
};

export function cleanerOf(mediaType: string): Cleaner | undefined {
  return CLEANERS[mediaType];
}

async function* cleanGif(reader: ByteReader, picture: Picture): AsyncGenerator<Uint8Array> {
  const head = await reader.peek(10);
  if (head.length < 10) throw damaged();
  picture.width = head[6]! | head[7]! << 8;
  picture.height = head[8]! | head[9]! << 8;
  yield* reader.pass();
}
