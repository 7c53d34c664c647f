/** Pictures with metadata in every place where their format has some. Few of them can be decoded. */

/** What must not stay in a file. */
export const PLACE = "GPS 52.5163N 13.3777E";

const text = (value: string) => Uint8Array.from(value, (letter) => letter.charCodeAt(0));
const big = (value: number, size: number) =>
  Uint8Array.from({ length: size }, (_, i) => Math.floor(value / 256 ** (size - 1 - i)) & 255);
const little = (value: number, size: number) => big(value, size).reverse();

export function bytes(...parts: (Uint8Array | string | number)[]): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(
    parts.flatMap((part) =>
      typeof part === "number" ? [part] : [...(typeof part === "string" ? text(part) : part)]
    ),
  );
}

/** Exif data with an orientation, and the place behind it. */
export function exif(orientation: number): Uint8Array {
  const entry = bytes(little(0x0112, 2), little(3, 2), little(1, 4), little(orientation, 2), 0, 0);
  return bytes("II*\0", little(8, 4), little(1, 2), entry, little(0, 4), PLACE);
}

const segment = (marker: number, data: Uint8Array) =>
  bytes(0xff, marker, big(data.length + 2, 2), data);

export interface Size {
  width: number;
  height: number;
}

export function jpeg({ width, height }: Size, orientation = 1): Uint8Array<ArrayBuffer> {
  return bytes(
    "\xff\xd8",
    segment(0xe0, bytes("JFIF\0\x01\x01\0\0\x01\0\x01\0\0")),
    segment(0xe1, bytes("Exif\0\0", exif(orientation))),
    segment(0xe1, bytes("http://ns.adobe.com/xap/1.0/\0", PLACE)),
    segment(0xe2, bytes("ICC_PROFILE\0", "profile")),
    segment(0xed, bytes("Photoshop 3.0\0", PLACE)),
    segment(0xfe, bytes(PLACE)),
    segment(0xc0, bytes(8, big(height, 2), big(width, 2), 1, 1, 0x11, 0)),
    segment(0xda, bytes(1, 1, 0, 0, 63, 0)),
    // Escaped bytes, a restart, and a fill byte.
    "scan \xff\0 of \xff\xd0 pixels\xff",
    segment(0xfe, bytes(PLACE)),
    segment(0xda, bytes(1, 1, 0, 0, 63, 0)),
    "another\xff\xd9",
    "\xff\xd8",
    segment(0xe1, bytes("Exif\0\0", exif(orientation))),
  );
}

const chunk = (type: string, data: Uint8Array) =>
  bytes(big(data.length, 4), type, data, "\0\0\0\0");

export function png({ width, height }: Size, orientation = 1): Uint8Array<ArrayBuffer> {
  return bytes(
    "\x89PNG\r\n\x1a\n",
    chunk("IHDR", bytes(big(width, 4), big(height, 4), 8, 2, 0, 0, 0)),
    chunk("tEXt", bytes("Comment\0", PLACE)),
    chunk("eXIf", exif(orientation)),
    chunk("IDAT", bytes("pixels")),
    chunk("iTXt", bytes("XML:com.adobe.xmp\0", PLACE)),
    chunk("IEND", bytes()),
    PLACE,
  );
}

export function webp({ width, height }: Size, orientation = 1): Uint8Array<ArrayBuffer> {
  const part = (type: string, data: Uint8Array) =>
    bytes(type, little(data.length, 4), data, ...(data.length % 2 === 1 ? [0] : []));
  const parts = bytes(
    "WEBP",
    part("VP8X", bytes(0x0c, 0, 0, 0, little(width - 1, 3), little(height - 1, 3))),
    part("VP8 ", bytes("pixels")),
    part("EXIF", exif(orientation)),
    part("XMP ", bytes(PLACE)),
    part("LOCA", bytes(PLACE)),
  );
  return bytes("RIFF", little(parts.length, 4), parts, PLACE);
}

export function heic({ width, height }: Size, brand = "heic"): Uint8Array<ArrayBuffer> {
  const box = (type: string, ...data: (Uint8Array | string | number)[]) => {
    const content = bytes(...data);
    return bytes(big(content.length + 8, 4), type, content);
  };
  const version = (n: number) => bytes(n, 0, 0, 0);
  const item = (id: number, type: string) =>
    box("infe", version(2), big(id, 2), 0, 0, type, "name\0");
  const head = box("ftyp", brand, "\0\0\0\0", "mif1", brand);
  const pixels = bytes("pixels");
  const secret = bytes("\0\0\0\0", exif(6));
  const metaOf = (at: number) =>
    box(
      "meta",
      version(0),
      box("hdlr", "pict"),
      box("iinf", version(0), big(2, 2), item(1, "hvc1"), item(2, "Exif")),
      box(
        "iloc",
        version(0),
        0x44,
        0,
        big(2, 2),
        ...[[1, at, pixels.length], [2, at + pixels.length, secret.length]].map((
          [id, from, size],
        ) => bytes(big(id!, 2), big(0, 2), big(1, 2), big(from!, 4), big(size!, 4))),
      ),
      box(
        "iprp",
        box("ipco", box("ispe", version(0), big(width, 4), big(height, 4)), box("irot", 1)),
      ),
    );
  const at = head.length + metaOf(0).length + 8;
  return bytes(head, metaOf(at), box("mdat", pixels, secret));
}

export function gif({ width, height }: Size): Uint8Array<ArrayBuffer> {
  return bytes("GIF89a", little(width, 2), little(height, 2), "\0\0\0;");
}
