/** The official client for script tags at its usual path, `/socket.io/socket.io.js`. */
import { createHash } from "node:crypto";
import { createRequire } from "node:module";
import { dirname } from "node:path";

const FILE = /^\/socket\.io\/(socket\.io(?:\.min|\.esm\.min)?\.js(?:\.map)?)$/;

interface Asset {
  body: Uint8Array<ArrayBuffer>;
  etag: string;
}

const assets = new Map<string, Promise<Asset>>();

async function read(name: string): Promise<Asset> {
  const home = dirname(createRequire(import.meta.url).resolve("socket.io/package.json"));
  const body = await Deno.readFile(`${home}/client-dist/${name}`);
  return { body, etag: `"${createHash("sha256").update(body).digest("base64url")}"` };
}

/** The response with one of the client's files; null: the request is for none. */
export async function serveSocketIoClient(request: Request): Promise<Response | null> {
  const name = FILE.exec(new URL(request.url).pathname)?.[1];
  if (name === undefined || (request.method !== "GET" && request.method !== "HEAD")) return null;
  let asset = assets.get(name);
  if (asset === undefined) assets.set(name, asset = read(name));
  const { body, etag } = await asset;
  const headers = {
    "content-type": name.endsWith(".map") ? "application/json" : "text/javascript; charset=utf-8",
    "cache-control": "public, max-age=3600",
    "access-control-allow-origin": "*",
    "cross-origin-resource-policy": "cross-origin",
    "x-content-type-options": "nosniff",
    etag,
  };
  if (request.headers.get("if-none-match") === etag) {
    return new Response(null, { status: 304, headers });
  }
  return new Response(request.method === "HEAD" ? null : body, { headers });
}
