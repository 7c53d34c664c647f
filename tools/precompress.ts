/** Writes a `.br` and a `.gz` file beside each built file that becomes smaller by it. */
import { promisify } from "node:util";
import { brotliCompress, constants, gzip } from "node:zlib";
import { walkFiles } from "./files.ts";

/** Fonts and pictures are compressed already. */
const TEXT = /\.(?:js|mjs|css|svg|json|webmanifest|txt|map)$/;
/** Bytes; smaller files fit into one packet anyway. */
const MIN_BYTES = 300;

/** Compresses the files below the folder, and removes what belongs to no file any more. */
export async function precompress(folder: string): Promise<void> {
  const paths: string[] = [];
  for await (const path of walkFiles([folder])) paths.push(path);
  const present = new Set(paths);
  await Promise.all(paths.map(async (path) => {
    const source = path.replace(/\.(?:br|gz)$/, "");
    if (source !== path && !present.has(source)) await Deno.remove(path);
    if (!TEXT.test(path) || path.includes("/.")) return;
    const body = await Deno.readFile(path);
    await write(`${path}.br`, body, await brotli(body));
    await write(`${path}.gz`, body, await promisify(gzip)(body, { level: 9 }));
  }));
}

function brotli(body: Uint8Array): Promise<Uint8Array> {
  return promisify(brotliCompress)(body, {
    params: {
      [constants.BROTLI_PARAM_QUALITY]: 11,
      [constants.BROTLI_PARAM_MODE]: constants.BROTLI_MODE_TEXT,
    },
  });
}

async function write(path: string, body: Uint8Array, coded: Uint8Array): Promise<void> {
  if (body.length >= MIN_BYTES && coded.length < body.length * 0.95) {
    await Deno.writeFile(path, coded);
  } else {
    await Deno.remove(path).catch(() => {});
  }
}
