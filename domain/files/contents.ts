/** What a file is, found while it passes on its way to the store. */
import { ParleyError } from "../../protocol/errors.ts";
import { ByteReader } from "./byte_reader.ts";
import { cleanerOf } from "./image.ts";
import { HEAD_BYTES, isAllowed, mediaTypeOf } from "./media_type.ts";
import { damaged, type Picture } from "./picture.ts";

export interface ContentLimits {
  /** Types that are taken, such as "image/*". */
  types: readonly string[];
  maxPixels: number;
}

export interface Contents {
  mediaType: string;
  /** The bytes that are stored; read them once. */
  bytes: AsyncGenerator<Uint8Array>;
  /** Known when all bytes were read. */
  size(): number;
  /** null: not a picture. Known when all bytes were read. */
  picture: Picture | null;
}

/**
 * @throws {ParleyError} `unsupported_type`, `invalid` for an empty file; reading the bytes throws
 * `invalid` for a damaged picture, and `too_large` for one with too many pixels.
 */
export async function readContents(
  source: AsyncIterable<Uint8Array>,
  about: { name: string; declaredType?: string | undefined },
  limits: ContentLimits,
): Promise<Contents> {
  const reader = new ByteReader(source);
  const head = await reader.peek(HEAD_BYTES);
  if (head.length === 0) {
    throw new ParleyError("invalid", "Cannot take the file: it is empty");
  }
  const mediaType = mediaTypeOf(head.subarray(0, HEAD_BYTES), about.name, about.declaredType);
  if (!isAllowed(mediaType, limits.types)) {
    throw new ParleyError(
      "unsupported_type",
      `Cannot take the file: files of the type "${mediaType}" are not accepted here`,
      { limit: "FILE_TYPES" },
    );
  }
  const clean = cleanerOf(mediaType);
  const picture = clean === undefined ? null : { width: 0, height: 0 };
  let size = 0;
  const bytes = async function* (): AsyncGenerator<Uint8Array> {
    for await (const chunk of clean?.(reader, picture!) ?? reader.pass()) {
      if (picture !== null) mustBeSmall(picture, limits.maxPixels);
      size += chunk.length;
      if (chunk.length > 0) yield chunk;
    }
    if (picture?.width === 0) throw damaged();
    // What follows a picture is not stored, and still has to arrive.
    await reader.skip();
  };
  return { mediaType, bytes: bytes(), size: () => size, picture };
}

function mustBeSmall({ width, height }: Picture, maxPixels: number): void {
  if (width * height <= maxPixels) return;
  throw new ParleyError(
    "too_large",
    `Cannot take the file: the picture has ${width} × ${height} pixels, which are more than ${maxPixels}`,
    { limit: "MAX_IMAGE_PIXELS" },
  );
}
