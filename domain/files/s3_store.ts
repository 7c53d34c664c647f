/** Files in a bucket of Amazon S3, or of any store with the same API. */
import { setTimeout as delay } from "node:timers/promises";
import { AwsClient } from "aws4fetch";
import { ParleyError } from "../../protocol/errors.ts";
import type { FileStore } from "./store.ts";

export interface S3StoreOptions {
  /** Such as "https://s3.eu-central-1.amazonaws.com"; the bucket is a part of the path. */
  endpoint: string;
  bucket: string;
  region: string;
  accessKeyId: string;
  secretAccessKey: string;
  /** Bytes of a part of a larger file, which is what an upload keeps in memory. S3 asks for 5 MiB. */
  partBytes?: number;
}

const PART_BYTES = 8 * 1024 * 1024;
/** Files that are removed at a time. */
const REMOVALS = 10;
/** After a failure of the store itself. */
const RETRIES = 2;
/** Milliseconds before the first further try; twice as long before the next. */
const AGAIN_MS = 50;
const RETRY_MS = 30_000;
/** Milliseconds until the store responds. */
const TIMEOUT_MS = 60_000;

export function createS3Store(options: S3StoreOptions): FileStore {
  const { bucket, region, accessKeyId, secretAccessKey, partBytes = PART_BYTES } = options;
  const client = new AwsClient({
    accessKeyId,
    secretAccessKey,
    region,
    service: "s3",
    // Its own tries again leave the bodies of the failed ones open.
    retries: 0,
  });
  const base = `${options.endpoint.replace(/\/+$/, "")}/${bucket}`;

  async function ask(
    method: string,
    key: string,
    query = "",
    init: { body?: BodyInit; headers?: Record<string, string> } = {},
  ): Promise<Response> {
    const timer = new AbortController();
    const timeout = setTimeout(() => timer.abort(), TIMEOUT_MS);
    try {
      for (let tries = 0;; tries++) {
        const response = await client.fetch(`${base}/${key}${query}`, {
          method,
          ...init,
          signal: timer.signal,
        });
        const isBusy = response.status >= 500 || response.status === 429;
        if (!isBusy || tries === RETRIES) return response;
        await response.body?.cancel();
        await delay(AGAIN_MS * 2 ** tries);
      }
    } catch (cause) {
      throw away(cause);
    } finally {
      clearTimeout(timeout);
    }
  }

  /** The body of a response that has to be a success. */
  async function must(asked: Promise<Response>): Promise<{ text: string; headers: Headers }> {
    const response = await asked;
    const text = await response.text().catch((cause) => Promise.reject(away(cause)));
    if (!response.ok) throw refused(response.status, text);
    return { text, headers: response.headers };
  }

  async function putInParts(
    key: string,
    first: Uint8Array<ArrayBuffer>,
    rest: AsyncIterator<Uint8Array<ArrayBuffer>>,
  ): Promise<void> {
    const begun = await must(ask("POST", key, "?uploads="));
    const id = encodeURIComponent(tagOf(begun.text, "UploadId"));
    try {
      const etags: string[] = [];
      for (let part: Uint8Array<ArrayBuffer> | undefined = first; part !== undefined;) {
        const query = `?partNumber=${etags.length + 1}&uploadId=${id}`;
        const { headers } = await must(ask("PUT", key, query, { body: part }));
        etags.push(headers.get("etag") ?? "");
        const next: IteratorResult<Uint8Array<ArrayBuffer>> = await rest.next();
        part = next.done ? undefined : next.value;
      }
      const parts = etags.map((etag, i) =>
        `<Part><PartNumber>${i + 1}</PartNumber><ETag>${etag}</ETag></Part>`
      );
      const body = `<CompleteMultipartUpload>${parts.join("")}</CompleteMultipartUpload>`;
      const { text } = await must(ask("POST", key, `?uploadId=${id}`, { body }));
      // The status is sent before the outcome is known.
      if (text.includes("<Error>")) throw refused(200, text);
    } catch (error) {
      await must(ask("DELETE", key, `?uploadId=${id}`)).catch(() => {});
      throw error;
    }
  }

  return {
    async put(key, chunks) {
      const parts = inParts(chunks, partBytes);
      const first = await parts.next();
      const bytes = first.done ? new Uint8Array(0) : first.value;
      if (bytes.length >= partBytes) await putInParts(key, bytes, parts);
      else await must(ask("PUT", key, "", { body: bytes }));
    },

    async get(key, range) {
      const headers: Record<string, string> = range === undefined
        ? {}
        : { range: `bytes=${range.from}-${range.to}` };
      const response = await ask("GET", key, "", { headers });
      if (response.status === 404) {
        await response.body?.cancel();
        return null;
      }
      if (!response.ok) throw refused(response.status, await response.text());
      return response.body ?? new Blob([]).stream();
    },

    async remove(keys) {
      for (let at = 0; at < keys.length; at += REMOVALS) {
        await Promise.all(
          keys.slice(at, at + REMOVALS).map(async (key) => {
            const response = await ask("DELETE", key);
            const text = await response.text();
            if (!response.ok && response.status !== 404) throw refused(response.status, text);
          }),
        );
      }
    },
  };
}

/** All of the same size, except the last one. */
async function* inParts(
  chunks: AsyncIterable<Uint8Array>,
  size: number,
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  let part = new Uint8Array(size);
  let length = 0;
  for await (const chunk of chunks) {
    for (let at = 0; at < chunk.length;) {
      const piece = chunk.subarray(at, at + size - length);
      part.set(piece, length);
      at += piece.length;
      length += piece.length;
      if (length < size) continue;
      yield part;
      part = new Uint8Array(size);
      length = 0;
    }
  }
  if (length > 0) yield part.slice(0, length);
}

function tagOf(xml: string, tag: string): string {
  const text = new RegExp(`<${tag}>([^<]+)</${tag}>`).exec(xml)?.[1];
  if (text === undefined) throw refused(200, xml);
  return text.replaceAll("&amp;", "&").replaceAll("&quot;", '"').replaceAll("&lt;", "<");
}

function away(cause: unknown): ParleyError {
  return new ParleyError("unavailable", "Cannot reach the store of files", {
    retryAfter: RETRY_MS,
    cause,
  });
}

/** What the store says is for the log; clients learn that it is not available. */
function refused(status: number, text: string): ParleyError {
  return away(new Error(`The store of files answered with ${status}: ${text.slice(0, 500)}`));
}
