import { ParleyError } from "../protocol/errors.ts";
import { networkOf } from "./network.ts";

/** What one thing takes up, until it is given back. */
export interface Place {
  /** Gives it back; again is harmless. */
  leave(): void;
}

export interface CapacityOptions {
  /** What is refused, in the words of an error: "open a connection". */
  what: string;
  total: { limit: string; max: number };
  perNetwork: { limit: string; max: number };
  /** The code for one network's refusal; for all it is `overloaded`. */
  code: "rate_limited" | "too_many_connections";
  /** Milliseconds after which it may be tried again. */
  retryAfterMs: number;
}

export interface Capacity {
  /** How many there are now. */
  readonly size: number;
  /**
   * @param isExempt from the bound of a network, not from the bound of all.
   * @throws {ParleyError} `overloaded`, or the options' `code`, with `limit` and `retryAfter`.
   */
  take(address: string, isExempt?: boolean): Place;
}

/** Counts what is there at the same time, in all and by network (`networkOf`), and refuses more. */
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
      let isOver = false;
      return {
        leave() {
          if (isOver) return;
          isOver = true;
          size--;
          const left = taken.get(network)! - 1;
          if (left === 0) taken.delete(network);
          else taken.set(network, left);
        },
      };
    },
  };
}

/** Of what is not counted. */
export const NO_PLACE: Place = { leave() {} };
