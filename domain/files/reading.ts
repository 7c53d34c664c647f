/** The body of an upload as bytes, within the limits of size and time. */
import { ParleyError } from "../../protocol/errors.ts";

export interface ReadingLimits {
  maxBytes: number;
  /** Milliseconds without a byte. */
  silenceMs: number;
  /** Milliseconds for all of it. */
  totalMs: number;
}

/** @throws {ParleyError} `too_large`, `request_timeout`, also where the peer went away. */
export async function* readBody(
  body: ReadableStream<Uint8Array>,
  limits: ReadingLimits,
): AsyncGenerator<Uint8Array> {
  const reader = body.getReader();
  const deadline = performance.now() + limits.totalMs;
  let size = 0;
  let isLate = false;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = () => {
    isLate = true;
    reader.cancel().catch(() => {});
  };
  try {
    for (;;) {
      const left = Math.max(0, deadline - performance.now());
      timer = setTimeout(late, Math.min(limits.silenceMs, left));
      const { done, value } = await reader.read().catch(gone);
      clearTimeout(timer);
      if (isLate) throw tooLate(size, left < limits.silenceMs);
      if (done) return;
      size += value.byteLength;
      if (size > limits.maxBytes) throw tooLarge(limits.maxBytes);
      yield value;
    }
  } finally {
    clearTimeout(timer);
    await drain(reader, limits.maxBytes);
  }
}

/** Reads a body that was refused, or that is not needed; see `drain`. */
export async function drainBody(
  body: ReadableStream<Uint8Array>,
  maxBytes: number,
): Promise<void> {
  await drain(body.getReader(), maxBytes);
}

/** Bytes that are read and dropped after a refusal, and for how long. */
const MAX_DRAINED = 64_000_000;
const DRAIN_MS = 5000;

/**
 * Reads the rest, within bounds: some clients read no response before they have sent everything, and
 * report a broken connection instead.
 */
async function drain(
  reader: ReadableStreamDefaultReader<Uint8Array>,
  maxBytes: number,
): Promise<void> {
  let left = Math.min(MAX_DRAINED, maxBytes);
  const timer = setTimeout(() => reader.cancel().catch(() => {}), DRAIN_MS);
  try {
    while (left > 0) {
      const { done, value } = await reader.read();
      if (done) return;
      left -= value.byteLength;
    }
    await reader.cancel();
  } catch {
    // The peer went away.
  } finally {
    clearTimeout(timer);
  }
}

function gone(cause: unknown): never {
  const sentence = "Cannot take the file: the peer went away before its end";
  throw new ParleyError("request_timeout", sentence, { cause });
}

function tooLate(bytes: number, inAll: boolean): ParleyError {
  const sentence = `Cannot take the file: it did not arrive in time, only ${bytes} bytes did`;
  return new ParleyError("request_timeout", sentence, {
    limit: inAll ? "UPLOAD_TIMEOUT_MS" : "BODY_TIMEOUT_MS",
  });
}

export function tooLarge(maxBytes: number): ParleyError {
  return new ParleyError("too_large", `Cannot take the file: it is larger than ${maxBytes} bytes`, {
    limit: "MAX_FILE_BYTES",
  });
}
