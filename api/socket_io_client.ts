/** The official client for script tags at its usual path, `/socket.io/socket.io.js`. */
import { createHash } from "node:crypto";
import { createRequire } from "node:module";
import { dirname } from "node:path";
import { promisify } from "node:util";
import { brotliCompress, gzip } from "node:zlib";
import { type BuiltFile, serveFile } from "./built_file.ts";

const FILE = /^\/socket\.io\/(socket\.io(?:\.min|\.esm\.min)?\.js(?:\.map)?)$/;

const files = new Map<string, Promise<BuiltFile>>();

/** Reads and compresses a file when it is first requested: the package has it uncompressed. */
async function read(name: string): Promise<BuiltFile> {
  const home = dirname(createRequire(import.meta.url).resolve("socket.io/package.json"));
  const body = await Deno.readFile(`${home}/client-dist/${name}`);
  const [br, zipped] = await Promise.all([
    promisify(brotliCompress)(body),
    promisify(gzip)(body, { level: 9 }),
  ]);
  return {
    body,
    coded: { br: new Uint8Array(br), gzip: new Uint8Array(zipped) },
    etag: `"${createHash("sha256").update(body).digest("base64url")}"`,
    headers: {
      "content-type": name.endsWith(".map") ? "application/json" : "text/javascript; charset=utf-8",
      "cache-control": "public, max-age=3600",
      "access-control-allow-origin": "*",
      "cross-origin-resource-policy": "cross-origin",
      "x-content-type-options": "nosniff",
    },
  };
}

/** The response with one of the client's files; null: the request is for none. */
export async function serveSocketIoClient(request: Request): Promise<Response | null> {
  const name = FILE.exec(new URL(request.url).pathname)?.[1];
  if (name === undefined || (request.method !== "GET" && request.method !== "HEAD")) return null;
  let file = files.get(name);
  if (file === undefined) files.set(name, file = read(name));
  return serveFile(request, await file);
}
