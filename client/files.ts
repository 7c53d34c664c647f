/**
 * Uploads and addresses of files, for whoever shows or sends some: apart from the rest of the SDK, so
 * that it is loaded when it is used.
 *
 * ```ts
 * const server = { url, token: () => accessToken() };
 * const file = await uploadFile(server, input.files[0], { onProgress: (part) => draw(part) });
 * await store.send("", { files: [file] });
 * const addresses = createFileAddresses(server);
 * image.src = await addresses.get(file.id);
 * ```
 */
import type { FileAddresses } from "../protocol/files.ts";
import type { MessageFile } from "../protocol/model.ts";
import { type ClientErrorCode, ParleyClientError } from "./errors.ts";
import { newId } from "./outbox.ts";

/** Where files go, and as whom. */
export interface FileServer {
  /** The server's origin. */
  url: string;
  /** An access token, a session id, an API key or a participant's token; called for each request. */
  token: () => string | Promise<string>;
}

export interface UploadOptions {
  /** Default: the name of a `File`, otherwise "file". */
  name?: string;
  /** Use the same one to try again: then nothing is stored twice. Default: a new one. */
  uploadId?: string;
  /** Of a recording, in milliseconds. */
  durationMs?: number;
  /** From 0 to 1; in browsers only. */
  onProgress?: (part: number) => void;
  /** Ends it; the promise is rejected with "discarded". */
  signal?: AbortSignal;
}

/** Waits before an upload is tried again after a broken connection, in milliseconds. */
const RETRY_MS = [1_000, 3_000, 8_000];
/** Codes of refusals that pass. */
const PASSING = new Set([
  "disconnected",
  "request_timeout",
  "overloaded",
  "unavailable",
  "rate_limited",
]);
/** A longer wait is left to the caller. */
const MAX_WAIT_MS = 10_000;

/**
 * Uploads a file. Tries again where the connection breaks or the server asks to wait a little.
 *
 * @throws {ParleyClientError} with the server's code, "disconnected" or "discarded" (by the signal).
 */
export async function uploadFile(
  server: FileServer,
  file: Blob,
  options: UploadOptions = {},
): Promise<MessageFile> {
  const { uploadId = newId(), durationMs, signal } = options;
  const name = options.name ?? (file as Partial<File>).name ?? "file";
  const query = new URLSearchParams({ name, uploadId });
  if (durationMs !== undefined) query.set("durationMs", String(Math.round(durationMs)));
  const url = `${new URL("/api/files", server.url)}?${query}`;
  for (let attempt = 0;; attempt++) {
    try {
      const token = await server.token();
      if (signal?.aborted) throw aborted();
      return await send(url, token, file, options);
    } catch (error) {
      const { code, retryAfter = 0 } = error as ParleyClientError;
      const wait = Math.max(RETRY_MS[attempt] ?? Infinity, retryAfter);
      if (!PASSING.has(code) || wait > MAX_WAIT_MS) throw error;
      await pause(wait, signal);
    }
  }
}

interface Answer {
  status: number;
  text: string;
}

async function send(
  url: string,
  token: string,
  file: Blob,
  { onProgress, signal }: UploadOptions,
): Promise<MessageFile> {
  const headers = {
    authorization: `Bearer ${token}`,
    "content-type": file.type || "application/octet-stream",
  };
  const { status, text } =
    await ("XMLHttpRequest" in globalThis
      ? request(url, headers, file, onProgress, signal)
      : fetch(url, { method: "POST", headers, body: file, signal: signal ?? null }).then(
        async (response) => ({ status: response.status, text: await response.text() }),
        () => Promise.reject(signal?.aborted ? aborted() : unreachable()),
      ));
  return read<MessageFile>(status, text);
}

/** `fetch` does not say how much was sent. */
function request(
  url: string,
  headers: Record<string, string>,
  file: Blob,
  onProgress?: (part: number) => void,
  signal?: AbortSignal,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const one = new XMLHttpRequest();
    one.open("POST", url);
    for (const [name, value] of Object.entries(headers)) one.setRequestHeader(name, value);
    one.upload.onprogress = ({ loaded, total }) => onProgress?.(total === 0 ? 0 : loaded / total);
    one.onload = () => resolve({ status: one.status, text: one.responseText });
    one.onerror = () => reject(unreachable());
    one.onabort = () => reject(aborted());
    signal?.addEventListener("abort", () => one.abort(), { once: true });
    one.send(file);
  });
}

function read<T>(status: number, text: string): T {
  let body: Record<string, unknown> = {};
  try {
    body = JSON.parse(text);
  } catch {
    // A proxy in between has its own pages.
  }
  if (status >= 200 && status < 300) return body as T;
  const code = (body["code"] ?? (status === 413 ? "too_large" : "internal")) as ClientErrorCode;
  const sentence = body["detail"] ?? `The server answered with status ${status}`;
  throw new ParleyClientError(code, String(sentence), body as { retryAfter?: number });
}

function pause(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, ms);
    signal?.addEventListener("abort", () => {
      clearTimeout(timer);
      reject(aborted());
    }, { once: true });
  });
}

const aborted = () => new ParleyClientError("discarded", "Cannot send the file: it was cancelled");
const unreachable = () =>
  new ParleyClientError("disconnected", "Cannot send the file: the server cannot be reached");

export interface FileAddressBook {
  /** An absolute address, or null for a file that this person may not see, or that is gone. */
  get(id: string): Promise<string | null>;
}

/** An address with less time left is not used any more, in milliseconds. */
const SPARE_MS = 60_000;
/** Files of one request. */
const BATCH = 200;

/** Addresses of files, requested together and kept until shortly before they are over. */
export function createFileAddresses(server: FileServer): FileAddressBook {
  const known = new Map<string, { url: string; until: number }>();
  let waiting = new Map<string, PromiseWithResolvers<string | null>>();

  async function ask(batch: typeof waiting): Promise<void> {
    try {
      const response = await fetch(new URL("/api/files/addresses", server.url), {
        method: "POST",
        headers: {
          authorization: `Bearer ${await server.token()}`,
          "content-type": "application/json",
        },
        body: JSON.stringify({ ids: [...batch.keys()] }),
      }).catch(() => Promise.reject(unreachable()));
      const { items } = read<FileAddresses>(response.status, await response.text());
      for (const { id, url, expiresAt } of items) {
        const address = new URL(url, server.url).href;
        known.set(id, { url: address, until: Date.parse(expiresAt) - SPARE_MS });
        batch.get(id)?.resolve(address);
      }
      for (const one of batch.values()) one.resolve(null);
    } catch (error) {
      for (const one of batch.values()) one.reject(error);
    }
  }

  return {
    get(id) {
      const address = known.get(id);
      if (address !== undefined && address.until > Date.now()) return Promise.resolve(address.url);
      const asked = waiting.get(id);
      if (asked !== undefined) return asked.promise;
      const promise = Promise.withResolvers<string | null>();
      if (waiting.size === 0 || waiting.size >= BATCH) {
        const batch = waiting = new Map();
        setTimeout(() => {
          if (waiting === batch) waiting = new Map();
          void ask(batch);
        });
      }
      waiting.set(id, promise);
      return promise.promise;
    },
  };
}
