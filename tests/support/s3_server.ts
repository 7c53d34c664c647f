/**
 * A small S3 server, by the API reference of Amazon S3 and "Signature Version 4": it verifies
 * signatures, keeps objects in memory, and knows single and multipart uploads and ranges.
 */
import { Buffer } from "node:buffer";
import { createHash, createHmac, timingSafeEqual } from "node:crypto";

export const S3_KEYS = { accessKeyId: "parley", secretAccessKey: "a secret of the store" };

export interface S3Server {
  endpoint: string;
  bucket: string;
  region: string;
  /** By key, without the bucket. */
  objects: Map<string, Uint8Array<ArrayBuffer>>;
  /** Multipart uploads that were begun and not ended. */
  uploads: Map<string, Map<number, Uint8Array<ArrayBuffer>>>;
  /** What is answered instead, while it is set. */
  broken: number | null;
  close(): Promise<void>;
}

const REGION = "eu-test-1";

export function startS3Server(bucket = "files"): S3Server {
  const objects: S3Server["objects"] = new Map();
  const uploads: S3Server["uploads"] = new Map();
  const xml = (text: string, status = 200) =>
    new Response(text, { status, headers: { "content-type": "application/xml" } });

  function multipart(
    method: string,
    key: string,
    query: URLSearchParams,
    body: Uint8Array<ArrayBuffer>,
  ): Response {
    const id = query.get("uploadId");
    if (id === null) {
      const begun = crypto.randomUUID();
      uploads.set(begun, new Map());
      return xml(
        `<InitiateMultipartUploadResult><UploadId>${begun}</UploadId>` +
          "</InitiateMultipartUploadResult>",
      );
    }
    const parts = uploads.get(id);
    if (parts === undefined) return xml("<Error><Code>NoSuchUpload</Code></Error>", 404);
    if (method === "PUT") {
      parts.set(Number(query.get("partNumber")), body);
      return new Response(null, { headers: { etag: etagOf(body) } });
    }
    uploads.delete(id);
    if (method === "DELETE") return new Response(null, { status: 204 });
    const named = [
      ...new TextDecoder().decode(body).matchAll(
        /<PartNumber>(\d+)<\/PartNumber><ETag>([^<]+)<\/ETag>/g,
      ),
    ];
    const right = named.length === parts.size &&
      named.every(([, n, etag]) => etag === etagOf(parts.get(Number(n)) ?? new Uint8Array()));
    if (!right) return xml("<Error><Code>InvalidPart</Code></Error>", 400);
    objects.set(key, new Uint8Array(Buffer.concat([...parts.values()])));
    return xml("<CompleteMultipartUploadResult/>");
  }

  async function answer(request: Request): Promise<Response> {
    const url = new URL(request.url);
    const body = new Uint8Array(await request.arrayBuffer());
    if (server.broken !== null) return xml("<Error/>", server.broken);
    if (!isSigned(request, url)) {
      return xml("<Error><Code>SignatureDoesNotMatch</Code></Error>", 403);
    }
    const [, name, ...rest] = decodeURIComponent(url.pathname).split("/");
    if (name !== bucket) return xml("<Error><Code>NoSuchBucket</Code></Error>", 404);
    const key = rest.join("/");
    if (url.searchParams.has("uploads") || url.searchParams.has("uploadId")) {
      return multipart(request.method, key, url.searchParams, body);
    }
    if (request.method === "PUT") {
      objects.set(key, body);
      return new Response(null, { headers: { etag: etagOf(body) } });
    }
    if (request.method === "DELETE") {
      objects.delete(key);
      return new Response(null, { status: 204 });
    }
    const found = objects.get(key);
    if (found === undefined) return xml("<Error><Code>NoSuchKey</Code></Error>", 404);
    const range = /^bytes=(\d+)-(\d+)$/.exec(request.headers.get("range") ?? "");
    if (range === null) return new Response(found);
    return new Response(found.slice(Number(range[1]), Number(range[2]) + 1), { status: 206 });
  }

  const http = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, answer);
  const server: S3Server = {
    endpoint: `http://127.0.0.1:${http.addr.port}`,
    bucket,
    region: REGION,
    objects,
    uploads,
    broken: null,
    close: () => http.shutdown(),
  };
  return server;
}

const etagOf = (body: Uint8Array) => `"${createHash("md5").update(body).digest("hex")}"`;

/** By "Create a signed AWS API request", with the header Authorization. */
function isSigned(request: Request, url: URL): boolean {
  const match =
    /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8})\/([^/]+)\/s3\/aws4_request, ?SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})$/
      .exec(request.headers.get("authorization") ?? "");
  if (match === null) return false;
  const [, id, day, region, names, signature] = match as unknown as string[];
  if (id !== S3_KEYS.accessKeyId || region !== REGION) return false;
  const date = request.headers.get("x-amz-date") ?? "";
  const sorted = [...url.searchParams].map(([name, value]) =>
    `${encodeURIComponent(name)}=${encodeURIComponent(value)}`
  ).sort().join("&");
  const headers = names!.split(";").map((name) =>
    `${name}:${name === "host" ? url.host : request.headers.get(name)}\n`
  ).join("");
  const hash = request.headers.get("x-amz-content-sha256") ?? "";
  const canonical = [request.method, url.pathname, sorted, headers, names, hash].join("\n");
  const text = [
    "AWS4-HMAC-SHA256",
    date,
    `${day}/${region}/s3/aws4_request`,
    createHash("sha256").update(canonical).digest("hex"),
  ].join("\n");
  let key = createHmac("sha256", `AWS4${S3_KEYS.secretAccessKey}`).update(day!).digest();
  for (const part of [region!, "s3", "aws4_request"]) {
    key = createHmac("sha256", key).update(part).digest();
  }
  const right = createHmac("sha256", key).update(text).digest();
  return timingSafeEqual(right, Buffer.from(signature!, "hex"));
}
