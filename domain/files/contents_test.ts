import assert from "node:assert/strict";
import { ParleyError } from "../../protocol/errors.ts";
import {
  bytes,
  gif,
  heic,
  jpeg,
  PLACE,
  png,
  type Size,
  webp,
} from "../../tests/support/pictures.ts";
import { readContents } from "./contents.ts";
import { cleanFileName } from "./file_name.ts";
import { mediaTypeOf } from "./media_type.ts";
import { orientationIn } from "./orientation.ts";

const LIMITS = { types: ["*"], maxPixels: 50_000_000 };

async function* inPieces(whole: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < whole.length; at += size) {
    await Promise.resolve();
    yield whole.subarray(at, at + size);
  }
}

async function read(file: Uint8Array, size = 7, limits = LIMITS) {
  const contents = await readContents(inPieces(file, size), { name: "picture" }, limits);
  const stored = await Array.fromAsync(contents.bytes);
  return { ...contents, stored: bytes(...stored), text: latin1(bytes(...stored)) };
}

const latin1 = (data: Uint8Array) => new TextDecoder("latin1").decode(data);

const SIZE: Size = { width: 400, height: 300 };
const TURNED = { width: 300, height: 400 };

Deno.test("where a picture was taken is removed, its pixels and its upright side stay", async () => {
  const pictures = {
    jpeg: jpeg(SIZE, 6),
    png: png(SIZE, 6),
    webp: webp(SIZE, 6),
    heic: heic(SIZE),
    avif: heic(SIZE, "avif"),
  };
  for (const [kind, file] of Object.entries(pictures)) {
    assert.ok(latin1(file).includes(PLACE), kind);
    // However the bytes arrive.
    for (const size of [1, 7, 1000, file.length]) {
      const { mediaType, picture, text, stored } = await read(file, size);
      assert.equal(mediaType, `image/${kind}`);
      assert.ok(!text.includes("GPS"), `${kind}: ${text}`);
      assert.ok(text.includes("pixels"), kind);
      assert.deepEqual(picture, TURNED, kind);
      if (kind === "jpeg" || kind === "png" || kind === "webp") {
        const tiff = stored.subarray(text.indexOf("MM\0*"));
        assert.equal(orientationIn(tiff), 6, kind);
      } else {
        assert.equal(stored.length, file.length, kind);
      }
    }
  }
});

Deno.test("a JPEG keeps its scans and colours, and ends with the picture", async () => {
  const { text, stored } = await read(jpeg(SIZE));
  assert.ok(text.includes("scan \xff\0 of \xff\xd0 pixels"));
  assert.ok(text.includes("ICC_PROFILE"));
  assert.ok(text.includes("JFIF"));
  assert.ok(text.endsWith("another\xff\xd9"));
  assert.ok(!text.includes("Exif"), "an upright picture needs none");
  // Cut short it is what there is, as browsers show it.
  const half = await read(stored.subarray(0, stored.length - 6));
  assert.deepEqual(half.picture, SIZE);
});

Deno.test("a picture with too many pixels is refused before its pixels are read", async () => {
  const large = { width: 10_000, height: 10_000 };
  for (const make of [jpeg, png, webp, heic, gif]) {
    let given = 0;
    const source = async function* () {
      const file = make(large);
      given += file.length;
      yield file;
      await Promise.resolve();
      given++;
      yield new Uint8Array(1000);
    };
    const contents = await readContents(source(), { name: "picture" }, LIMITS);
    await assert.rejects(
      Array.fromAsync(contents.bytes),
      (error) => error instanceof ParleyError && error.limit === "MAX_IMAGE_PIXELS",
      make.name,
    );
  }
});

Deno.test("what only begins like a picture is refused as damaged", async () => {
  const broken = [
    bytes("\xff\xd8\xff\xe0"),
    bytes("\xff\xd8\xff\xda\0\x02pixels"),
    bytes("\x89PNG\r\n\x1a\n", "no chunk of it"),
    bytes("RIFF\xff\0\0\0WEBPnone\0\0"),
    bytes("GIF89a"),
    bytes("\0\0\0\x10ftypheic\0\0\0\0", "\0\0\0\x10mdatpixels.."),
    bytes("\0\0\0\x10ftypheic\0\0\0\0", "\0\0\0\x10metamoremore"),
    heic(SIZE).slice(0, 60),
  ];
  for (const file of broken) {
    await assert.rejects(
      read(file),
      (error) => error instanceof ParleyError && error.code === "invalid",
      latin1(file),
    );
  }
});

Deno.test("the type is found from the first bytes, whatever the name says", () => {
  const cases: [string, string, string, string?][] = [
    ["%PDF-1.7", "photo.png", "application/pdf"],
    ["MZ\x90\0\x03", "photo.png", "application/x-msdownload"],
    ["MZ is a text", "a.txt", "text/plain"],
    ["\x7fELF\x02", "a.pdf", "application/x-elf"],
    ["#!/bin/sh\nrm -rf /", "notes.txt", "application/x-sh"],
    ["<!DOCTYPE html><script>", "notes.txt", "text/html"],
    ["  <script>alert(1)</script>", "a.png", "text/html"],
    ["<svg onload='x'>", "a.png", "image/svg+xml"],
    ["<?xml version='1.0'?><!-- x --><svg>", "a.xml", "image/svg+xml"],
    ["PK\x03\x04abc", "letter.docx", mediaTypeOf(bytes("PK\x03\x04"), "x.docx")],
    ["PK\x03\x04abc", "bomb.zip", "application/zip"],
    ["PK\x03\x04abc", "tool.apk", "application/vnd.android.package-archive"],
    ["a,b\n1,2", "t.csv", "text/csv"],
    ["{}", "t.json", "application/json"],
    ["Grüße", "t", "text/plain"],
    ["\0\x01\x02", "t.txt", "application/octet-stream"],
    ["\x1a\x45\xdf\xa3webm", "v.webm", "video/webm"],
    ["\x1a\x45\xdf\xa3webm", "v.webm", "audio/webm", "audio/webm;codecs=opus"],
    ["\x89PNG\r\n\x1a\n", "v", "image/png", "audio/webm"],
    ["\0\0\0\x18ftypM4A ", "v", "audio/mp4"],
    ["\0\0\0\x18ftypisom", "v", "video/mp4"],
    ["OggS\0\x02OpusHead", "v", "audio/ogg"],
    ["\xff\xfeh\0i\0", "t.txt", "text/plain"],
  ];
  for (const [head, name, type, declared] of cases) {
    const data = head === "Grüße" ? new TextEncoder().encode(head) : bytes(head);
    assert.equal(mediaTypeOf(data, name, declared), type, `${head} as ${name}`);
  }
});

Deno.test("a name is one line without folders, and keeps its ending", () => {
  assert.equal(cleanFileName("../../etc/passwd"), "passwd");
  assert.equal(cleanFileName("C:\\docs\\letter.pdf"), "letter.pdf");
  assert.equal(cleanFileName("inv\u202Efdp.exe\n"), "invfdp.exe");
  assert.equal(cleanFileName("..."), "file");
  assert.equal(cleanFileName(" .htaccess"), "htaccess");
  assert.equal(cleanFileName("Rechnung für Zoë.pdf"), "Rechnung für Zoë.pdf");
  const long = cleanFileName(`${"x".repeat(500)}.jpeg`);
  assert.equal(long.length, 200);
  assert.ok(long.endsWith("x.jpeg"));
});
