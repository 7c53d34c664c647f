import type { Side } from "./adapter.ts";

/** The latency of a side's last message, in milliseconds; null: unknown, or not measured yet. */
export interface Latency {
  /** From sending to the acknowledgement that it is stored. */
  stored: number | null;
  /** From sending to its arrival at the other side. */
  received: number | null;
}

export const NO_LATENCY: Latency = { stored: null, received: null };

/** Messages whose measurement is not complete. */
const MAX_OPEN = 50;

/**
 * Both sides are in one page, so one clock measures the whole way. The other side may receive a
 * message before its sender knows its number, so either half may come first.
 */
export function createLatencies(report: (side: Side, ms: number) => void) {
  const sent = new Map<number, { side: Side; at: number }>();
  const received = new Map<number, { side: Side; at: number }>();

  function bounded<K, V>(map: Map<K, V>, key: K, value: V) {
    map.set(key, value);
    const [oldest] = map.keys();
    if (map.size > MAX_OPEN && oldest !== undefined) map.delete(oldest);
  }

  return {
    /** `at`: when it was sent, by `performance.now()`. */
    sent(side: Side, seq: number, at: number) {
      const other = received.get(seq);
      if (other !== undefined && other.side !== side) report(side, other.at - at);
      else bounded(sent, seq, { side, at });
    },
    received(side: Side, seq: number, at: number) {
      const from = sent.get(seq);
      if (from !== undefined && from.side !== side) report(from.side, at - from.at);
      else bounded(received, seq, { side, at });
    },
    /** Another conversation counts from 1 again. */
    reset() {
      sent.clear();
      received.clear();
    },
  };
}
