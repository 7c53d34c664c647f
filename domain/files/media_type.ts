/** Finds what a file is from its first bytes. What its sender says decides only between close kinds. */

/** Bytes that are looked at. */
export const HEAD_BYTES = 4096;

/** By their first bytes, in Latin-1. */
const BEGINNINGS: readonly (readonly [string, string])[] = [
  ["\x89PNG\r\n\x1a\n", "image/png"],
  ["\xff\xd8\xff", "image/jpeg"],
  ["GIF87a", "image/gif"],
  ["GIF89a", "image/gif"],
  ["BM", "image/bmp"],
  ["II*\0", "image/tiff"],
  ["MM\0*", "image/tiff"],
  ["%PDF-", "application/pdf"],
  ["{\\rtf", "application/rtf"],
  ["\x1f\x8b", "application/gzip"],
  ["7z\xbc\xaf\x27\x1c", "application/x-7z-compressed"],
  ["Rar!\x1a\x07", "application/vnd.rar"],
  ["ID3", "audio/mpeg"],
  ["\xff\xfb", "audio/mpeg"],
  ["\xff\xf3", "audio/mpeg"],
  ["\xff\xf2", "audio/mpeg"],
  ["\xff\xf1", "audio/aac"],
  ["\xff\xf9", "audio/aac"],
  ["fLaC", "audio/flac"],
  ["#!AMR", "audio/amr"],
  ["\x1a\x45\xdf\xa3", "video/webm"],
  ["MZ", "application/x-msdownload"],
  ["\x7fELF", "application/x-elf"],
  ["\xcf\xfa\xed\xfe", "application/x-mach-binary"],
  ["\xca\xfe\xba\xbe", "application/x-mach-binary"],
];

const OFFICE = "application/vnd.openxmlformats-officedocument";
const OPEN = "application/vnd.oasis.opendocument";
/** Kinds of ZIP and OLE archives, which are never opened: by the ending of the name. */
const ZIPPED: Readonly<Record<string, string>> = {
  docx: `${OFFICE}.wordprocessingml.document`,
  xlsx: `${OFFICE}.spreadsheetml.sheet`,
  pptx: `${OFFICE}.presentationml.presentation`,
  odt: `${OPEN}.text`,
  ods: `${OPEN}.spreadsheet`,
  odp: `${OPEN}.presentation`,
  epub: "application/epub+zip",
  jar: "application/java-archive",
  apk: "application/vnd.android.package-archive",
};
const OLE: Readonly<Record<string, string>> = {
  doc: "application/msword",
  xls: "application/vnd.ms-excel",
  ppt: "application/vnd.ms-powerpoint",
  msg: "application/vnd.ms-outlook",
};
const TEXTS: Readonly<Record<string, string>> = {
  csv: "text/csv",
  md: "text/markdown",
  json: "application/json",
  har: "application/json",
  ics: "text/calendar",
  vcf: "text/vcard",
  css: "text/css",
  js: "text/javascript",
};

export const UNKNOWN = "application/octet-stream";

/**
 * @param head the first HEAD_BYTES, or the whole file
 * @param declared what its sender calls it: tells a recording of sound from a film in the same format
 */
export function mediaTypeOf(head: Uint8Array, name: string, declared = ""): string {
  const found = find(head, /\.([^.]+)$/.exec(name.toLowerCase())?.[1] ?? "");
  return declared.startsWith("audio/")
    ? found.replace(/^video\/(?=webm|mp4|ogg)/, "audio/")
    : found;
}

function find(head: Uint8Array, ending: string): string {
  const text = latin1(head.subarray(0, 64));
  if (text.startsWith("RIFF")) return RIFF[text.slice(8, 12)] ?? UNKNOWN;
  if (text.startsWith("OggS")) return text.includes("theora") ? "video/ogg" : "audio/ogg";
  if (text.slice(4, 8) === "ftyp") return isoMedia(text);
  if (text.startsWith("PK\x03\x04") || text.startsWith("PK\x05\x06")) {
    return ZIPPED[ending] ?? "application/zip";
  }
  if (text.startsWith("\xd0\xcf\x11\xe0")) return OLE[ending] ?? "application/x-ole-storage";
  const begun = BEGINNINGS.find(([bytes]) => text.startsWith(bytes));
  if (begun !== undefined && (begun[0].length > 2 || !isText(head))) return begun[1];
  return isText(head) ? textType(head, ending) : UNKNOWN;
}

const RIFF: Readonly<Record<string, string>> = {
  WEBP: "image/webp",
  WAVE: "audio/wav",
  "AVI ": "video/x-msvideo",
};

/** By the brands of ISO 14496-12. */
function isoMedia(text: string): string {
  const brand = text.slice(8, 12);
  if (/^avi[fs]/.test(brand)) return "image/avif";
  if (/^(?:mif1|msf1)/.test(brand)) return text.includes("avif") ? "image/avif" : "image/heic";
  if (/^he[iv][a-z]/.test(brand)) return "image/heic";
  if (/^M4[AB] /.test(brand)) return "audio/mp4";
  if (brand === "qt  ") return "video/quicktime";
  return /^3g/.test(brand) ? "video/3gpp" : "video/mp4";
}

function textType(head: Uint8Array, ending: string): string {
  const start = decode(head).replace(/^\uFEFF/, "").trimStart().slice(0, 1024).toLowerCase();
  if (start.startsWith("#!")) return "application/x-sh";
  if (/^(?:<\?xml.*?\?>\s*)?(?:<!--.*?-->\s*)*(?:<!doctype svg[^>]*>\s*)?<svg\b/s.test(start)) {
    return "image/svg+xml";
  }
  if (start.startsWith("<?xml")) return start.includes("<html") ? "text/html" : "application/xml";
  if (
    /^<(?:!doctype html|html|head|body|script|iframe|!--|h\d|div|p|a|img|style|table)\b/.test(start)
  ) {
    return "text/html";
  }
  return TEXTS[ending] ?? "text/plain";
}

/** UTF-8, or UTF-16 with its mark, without control characters. */
function isText(head: Uint8Array): boolean {
  const mark = latin1(head.subarray(0, 2));
  if (mark === "\xff\xfe" || mark === "\xfe\xff") return true;
  try {
    // deno-lint-ignore no-control-regex
    return head.length > 0 && !/[\x00-\x08\x0e-\x1a\x1c-\x1f]/.test(decode(head));
  } catch {
    return false;
  }
}

/** A character that the end of the head cuts is left out. @throws {TypeError} */
function decode(head: Uint8Array): string {
  const mark = latin1(head.subarray(0, 2));
  const encoding = mark === "\xff\xfe" ? "utf-16le" : mark === "\xfe\xff" ? "utf-16be" : "utf-8";
  return new TextDecoder(encoding, { fatal: encoding === "utf-8" }).decode(head, { stream: true });
}

function latin1(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes);
}

/** Whether the type is one of these, such as "image/png", "image/*" and "*". */
export function isAllowed(mediaType: string, allowed: readonly string[]): boolean {
  return allowed.some((pattern) =>
    pattern === "*" || pattern === mediaType ||
    (pattern.endsWith("*") && mediaType.startsWith(pattern.slice(0, -1)))
  );
}

/** What browsers show in a page without running anything of it. */
const SHOWN = /^(?:image\/(?:png|jpeg|gif|webp|avif)|audio\/.*|video\/(?:mp4|webm|ogg))$/;

export function isShown(mediaType: string): boolean {
  return SHOWN.test(mediaType);
}
