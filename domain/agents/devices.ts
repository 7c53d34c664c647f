import { createHmac, timingSafeEqual } from "node:crypto";
import { newSecret } from "../secrets.ts";

/** Accounts for which one browser is remembered, the last one first. */
const MAX_ACCOUNTS = 5;
const ID_BYTES = 16;

/**
 * Browsers that have signed in before. Each keeps a signed value with its id and the accounts that it
 * has signed in to, so that somebody who guesses at an account cannot keep its owner out. It gives no
 * right except to try; the server stores nothing.
 */
export interface Devices {
  /** The browser's id where it has signed in to this account before; else null. */
  knownAs(value: string | undefined, userId: string): string | null;
  /** The value for a browser that has just signed in to this account. */
  remember(value: string | undefined, userId: string): string;
}

export function createDevices(secret: string): Devices {
  const sign = (id: string, userId: string) =>
    createHmac("sha256", secret).update(`device ${id} of ${userId}`).digest("base64url");

  function read(value: string | undefined): { id: string; signatures: string[] } | null {
    const [id, ...signatures] = (value ?? "").split(".");
    if (!/^[\w-]{22}$/.test(id!) || signatures.length === 0 || signatures.length > MAX_ACCOUNTS) {
      return null;
    }
    return { id: id!, signatures };
  }

  return {
    knownAs(value, userId) {
      const device = read(value);
      if (device === null) return null;
      const wanted = sign(device.id, userId);
      return device.signatures.some((signature) => isSame(signature, wanted)) ? device.id : null;
    },

    remember(value, userId) {
      const device = read(value) ?? { id: newSecret(ID_BYTES), signatures: [] };
      const signature = sign(device.id, userId);
      const others = device.signatures.filter((one) => one !== signature);
      return [device.id, signature, ...others].slice(0, MAX_ACCOUNTS + 1).join(".");
    },
  };
}

function isSame(a: string, b: string): boolean {
  const [one, other] = [new TextEncoder().encode(a), new TextEncoder().encode(b)];
  return one.length === other.length && timingSafeEqual(one, other);
}
