import { createHmac, timingSafeEqual } from "node:crypto";
import { newSecret } from "../secrets.ts";

/** Of how many accounts one browser is remembered; the one that signed in last first. */
const MAX_ACCOUNTS = 5;
const ID_BYTES = 16;

/**
 * Browsers that have signed in before. Each keeps a signed value that names it and the accounts that
 * it was let in to, so that strangers who guess at an account cannot keep its people out. It gives
 * no right but to try; nothing of it is stored.
 */
export interface Devices {
  /** The browser's id where it has signed in to this account before; else null. */
  knownAs(value: string | undefined, userId: string): string | null;
  /** The value for a browser that was just let in to this account. */
  remember(value: string | undefined, userId: string): string;
}

export function createDevices(secret: string): Devices {
  const sign = (id: string, userId: string) =>
    createHmac("sha256", secret).update(`device ${id} of ${userId}`).digest("base64url");

  function read(value: string | undefined): { id: string; marks: string[] } | null {
    const [id, ...marks] = (value ?? "").split(".");
    if (!/^[\w-]{22}$/.test(id!) || marks.length === 0 || marks.length > MAX_ACCOUNTS) return null;
    return { id: id!, marks };
  }

  return {
    knownAs(value, userId) {
      const device = read(value);
      if (device === null) return null;
      const wanted = sign(device.id, userId);
      return device.marks.some((mark) => isSame(mark, wanted)) ? device.id : null;
    },

    remember(value, userId) {
      const device = read(value) ?? { id: newSecret(ID_BYTES), marks: [] };
      const mark = sign(device.id, userId);
      const others = device.marks.filter((one) => one !== mark);
      return [device.id, mark, ...others].slice(0, MAX_ACCOUNTS + 1).join(".");
    },
  };
}

function isSame(a: string, b: string): boolean {
  const [one, other] = [new TextEncoder().encode(a), new TextEncoder().encode(b)];
  return one.length === other.length && timingSafeEqual(one, other);
}
