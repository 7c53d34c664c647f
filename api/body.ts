import type { Context } from "hono";
import { ParleyError } from "../protocol/errors.ts";
import type { Env } from "./env.ts";

/**
 * Reads a body within the limits of size and time; "" where there is none.
 *
 * @throws {ParleyError} `too_large`, `request_timeout`.
 */
export async function readText(
  c: Context<Env>,
  maxBytes: number,
  timeoutMs: number,
): Promise<string> {
  const declared = Number(c.req.header("content-length") ?? "0");
  if (declared > maxBytes) throw tooLarge(maxBytes);
  const reader = c.req.raw.body?.getReader();
  if (reader === undefined) return "";
  const chunks: Uint8Array[] = [];
  let size = 0;
  let isLate = false;
  // Ends the read, so that the response does not wait for the rest of the body.
  const timer = setTimeout(() => {
    isLate = true;
    reader.cancel().catch(() => {});
  }, timeoutMs);
  try {
    for (;;) {
      const { done, value } = await reader.read().catch(gone);
      if (isLate) throw tooLate(size, timeoutMs);
      if (done) break;
      size += value.byteLength;
      if (size > maxBytes) {
        await reader.cancel();
        throw tooLarge(maxBytes);
      }
      chunks.push(value);
    }
  } finally {
    clearTimeout(timer);
  }
  return await new Blob(chunks as BlobPart[]).text();
}

/** Nobody reads the response; it is not an error of the server. */
function gone(cause: unknown): never {
  const sentence = "Cannot read the body: the peer went away before its end";
  throw new ParleyError("request_timeout", sentence, { cause });
}

function tooLate(bytes: number, timeoutMs: number): ParleyError {
  const sentence = `Cannot read the body: only ${bytes} bytes arrived within ${timeoutMs} ms`;
  return new ParleyError("request_timeout", sentence, { limit: "BODY_TIMEOUT_MS" });
}

function tooLarge(maxBytes: number): ParleyError {
  return new ParleyError("too_large", `Cannot read the body: it is larger than ${maxBytes} bytes`, {
    limit: "MAX_MESSAGE_BYTES",
  });
}
