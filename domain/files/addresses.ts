/**
 * Short-lived signed addresses, because an `<img>` sends no header. Who may have one is decided when
 * it is given; until it is over, whoever has it can read the file, on every node, if it is still there.
 */
import { Buffer } from "node:buffer";
import { createHmac, timingSafeEqual } from "node:crypto";
import { ParleyError } from "../../protocol/errors.ts";
import type { FileAddress } from "../../protocol/files.ts";

export interface Addresses {
  /** An address that is good for at least half of its life: it is the same for a while, for caches. */
  sign(file: { id: string; name: string }): FileAddress;
  /**
   * @returns when it is over, in milliseconds since the epoch
   * @throws {ParleyError} `forbidden`
   */
  verify(id: string, query: { expires: string; signature: string }): number;
}

/** @param secret the server's; the same on all nodes */
export function createAddresses(
  secret: string,
  lifeMs: number,
  now: () => number = Date.now,
): Addresses {
  const key = createHmac("sha256", secret).update("addresses of files").digest();
  const signatureOf = (id: string, expires: string) =>
    createHmac("sha256", key).update(`${id} ${expires}`).digest().subarray(0, 16);
  const step = Math.max(1000, Math.floor(lifeMs / 2));

  return {
    sign({ id, name }) {
      const expiresAt = Math.floor(now() / step) * step + lifeMs;
      const expires = expiresAt.toString(36);
      const signature = signatureOf(id, expires).toString("base64url");
      return {
        id,
        url: `/files/${id}/${encodeURIComponent(name)}?e=${expires}&s=${signature}`,
        expiresAt: new Date(expiresAt).toISOString(),
      };
    },
    verify(id, { expires, signature }) {
      const given = Buffer.from(signature, "base64url");
      const right = signatureOf(id, expires);
      const expiresAt = /^[0-9a-z]{1,12}$/.test(expires) ? parseInt(expires, 36) : 0;
      if (given.length !== right.length || !timingSafeEqual(given, right)) {
        throw new ParleyError("forbidden", "Cannot show the file: its address is not valid");
      }
      if (expiresAt <= now()) {
        throw new ParleyError("forbidden", "Cannot show the file: its address is over, ask anew");
      }
      return expiresAt;
    },
  };
}
