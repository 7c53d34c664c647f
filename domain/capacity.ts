import { ParleyError } from "../protocol/errors.ts";
import { networkOf } from "./network.ts";

/** One of a bounded number of things at a time, such as open connections. */
export interface Slot {
  /** Makes room for another one; does nothing when called again. */
  release(): void;
}

/** A place that was counted by its network, and knows better once it is known whose it is. */
export interface ClientSlot extends Slot {
  /**
   * Counts the connection by its agent instead of by its network.
   *
   * @returns 0, or the milliseconds after which the agent may have one more.
   */
  countByUser?(userId: string): number;
}

export interface CapacityOptions {
  /** The verb of the error: "open a connection". */
  what: string;
  total: { limit: string; max: number };
  perNetwork: { limit: string; max: number };
  /** The error's code past the bound of a network; past the total it is `overloaded`. */
  code: "rate_limited" | "too_many_connections";
  /** Milliseconds after which a client may try again. */
  retryAfterMs: number;
}

export interface Capacity {
  /** Slots that are taken. */
  readonly size: number;
  /**
   * @param isExempt from the bound of a network, not from the total.
   * @throws {ParleyError} `overloaded`, or the options' `code`, with `limit` and `retryAfter`.
   */
  take(address: string, isExempt?: boolean): Slot;
}

/** Bounds how many there are at a time, in all and by network (`networkOf`). */
export function createCapacity(options: CapacityOptions): Capacity {
  const { what, total, perNetwork, retryAfterMs: retryAfter } = options;
  const taken = new Map<string, number>();
  let size = 0;

  return {
    get size() {
      return size;
    },
    take(address, isExempt = false) {
      if (size >= total.max) {
        throw new ParleyError("overloaded", `Cannot ${what}: ${size} are open already`, {
          retryAfter,
          limit: total.limit,
        });
      }
      const network = networkOf(address);
      const mine = taken.get(network) ?? 0;
      if (!isExempt && mine >= perNetwork.max) {
        const sentence = `Cannot ${what}: ${mine} of your network are open already`;
        throw new ParleyError(options.code, sentence, { retryAfter, limit: perNetwork.limit });
      }
      size++;
      taken.set(network, mine + 1);
      let isReleased = false;
      return {
        release() {
          if (isReleased) return;
          isReleased = true;
          size--;
          const left = taken.get(network)! - 1;
          if (left === 0) taken.delete(network);
          else taken.set(network, left);
        },
      };
    },
  };
}

/** For what is not counted. */
export const NO_SLOT: Slot = { release() {} };
