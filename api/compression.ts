/**
 * Compresses pages and responses of the API that are large. Built files are compressed by the build
 * (`tools/precompress.ts`), and CSV exports stay as they are, because they are streams.
 *
 * The length of a compressed response tells whoever watches the network how much of it repeats. This
 * is a way to a secret only where one response has the secret and text that an attacker chooses, and
 * the attacker makes a browser send the request many times (BREACH). Pages have no secrets: tokens
 * are in cookies and in responses of the paths below, which are never compressed. Responses of the
 * API need an Authorization header, which no other website can send.
 */
import { promisify } from "node:util";
import { brotliCompress, constants, gzip } from "node:zlib";
import { acceptedCoding, addVary, type Coding } from "./content_coding.ts";

/** Bytes; below, a response fits into one or two packets anyway. */
const MIN_BYTES = 1500;

const TYPES = /^(?:text\/(?:html|plain|css|javascript)|application\/(?:[a-z]+\+)?json)\b/;

/** Their responses have access tokens, session ids or keys. */
const SECRETS = /^\/api\/(?:auth|setup|sessions|api-keys|contexts)(?:\/|$)/;

const compress: Record<Coding, (body: Uint8Array) => Promise<Uint8Array>> = {
  // Quality 4 takes as long as gzip and is smaller.
  br: (body) =>
    promisify(brotliCompress)(body, {
      params: {
        [constants.BROTLI_PARAM_QUALITY]: 4,
        [constants.BROTLI_PARAM_SIZE_HINT]: body.length,
      },
    }),
  gzip: (body) => promisify(gzip)(body),
};

/** The response in a coding that the request accepts, where that is worth it. */
export async function compressed(request: Request, response: Response): Promise<Response> {
  if (!isCompressible(request, response)) return response;
  const headers = new Headers(response.headers);
  addVary(headers, "Accept-Encoding");
  const { status, statusText } = response;
  const coding = acceptedCoding(request);
  if (coding === null || response.body === null) {
    return new Response(response.body, { status, statusText, headers });
  }
  const body = new Uint8Array(await response.arrayBuffer());
  if (body.byteLength < MIN_BYTES) return new Response(body, { status, statusText, headers });
  headers.set("content-encoding", coding);
  headers.delete("content-length");
  // The bytes are others, the content is the same: that is what a weak tag says.
  const etag = headers.get("etag");
  if (etag?.startsWith('"')) headers.set("etag", `W/${etag}`);
  const packed = await compress[coding](body);
  return new Response(packed as Uint8Array<ArrayBuffer>, { status, statusText, headers });
}

function isCompressible(request: Request, { status, headers }: Response): boolean {
  if (status < 200 || status === 204 || status === 206) return false;
  if (headers.has("content-encoding")) return false;
  if (/\bno-transform\b/i.test(headers.get("cache-control") ?? "")) return false;
  if (SECRETS.test(new URL(request.url).pathname)) return false;
  // A 304 has no type, and names what its 200 varies by.
  return status === 304 || TYPES.test(headers.get("content-type") ?? "");
}
