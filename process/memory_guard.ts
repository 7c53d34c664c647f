/**
 * Watches how much memory the process takes. The runtime collects what a peer sends in fragments and
 * cannot cut that peer off, so near the limit nobody new is let in, and at the limit the process
 * ends by itself, after a drain, before the system ends it in the middle of something.
 */
import v8 from "node:v8";
import vm from "node:vm";
import { getLogger } from "@logtape/logtape";
import type { Metrics } from "../domain/metrics.ts";
import { memoryLimit } from "./memory_limit.ts";
import type { Realtime } from "../realtime/face.ts";
import type { Settings } from "../settings.ts";

const logger = getLogger("parley");

/** How often it is looked at. */
const LOOK_MS = 250;
/** Garbage is collected no more often than that while memory is short. */
const COLLECT_MS = 30_000;
/** So far below the first bound, in parts of the limit, memory is no longer short. */
const SLACK = 0.03;

export interface MemoryGuardOptions {
  /** Bytes that the process may take. */
  limit: number;
  /** Percent of the limit past which memory is short; 0: never. */
  guardPercent: number;
  /** Percent of the limit past which the process ends; 0: never. */
  stopPercent: number;
  /** Memory is short, or no longer. @returns how many sockets were let go. */
  onShort: (isShort: boolean) => number;
  /** Called once. */
  onExhausted: () => void;
  everyMs?: number;
  rss?: () => number;
  collect?: () => void;
  now?: () => number;
}

export interface MemoryState {
  rss: number;
  limit: number;
  /** Past the first bound. */
  short: boolean;
}

export interface MemoryGuard {
  state(): MemoryState;
  /** Looks now; it happens by itself every `everyMs`. */
  look(): void;
  stop(): void;
}

export function watchMemory(options: MemoryGuardOptions): MemoryGuard {
  const { limit, guardPercent, stopPercent, onShort, onExhausted } = options;
  const { rss = () => Deno.memoryUsage().rss, collect = collectGarbage, now = Date.now } = options;
  const first = guardPercent === 0 ? Infinity : limit * guardPercent / 100;
  const last = stopPercent === 0 ? Infinity : limit * stopPercent / 100;
  let short = false;
  let over = false;
  let since = 0;
  let collectedAt = -Infinity;

  const about = (bytes: number) => ({
    rss: bytes,
    limit,
    percent: Math.round(bytes / limit * 1000) / 10,
  });

  function look(): void {
    if (over) return;
    let bytes = rss();
    // What is only garbage is no reason to send anybody away.
    if (bytes > first && now() - collectedAt > COLLECT_MS) {
      collectedAt = now();
      collect();
      bytes = rss();
    }
    if (!short && bytes > first) {
      short = true;
      since = now();
      const letGo = onShort(true);
      logger.warn(
        "Memory is short: {rss} of {limit} bytes; new sockets are refused, " +
          "{letGo} that were not authenticated are let go",
        { ...about(bytes), letGo },
      );
    } else if (short && bytes < first - limit * SLACK) {
      short = false;
      onShort(false);
      const seconds = Math.round((now() - since) / 1000);
      logger.info("Memory is no longer short, after {seconds} s: {rss} of {limit} bytes", {
        ...about(bytes),
        seconds,
      });
    }
    if (bytes <= last) return;
    over = true;
    clearInterval(timer);
    logger.error(
      "Memory is exhausted: {rss} of {limit} bytes; the process ends after a drain, to be started " +
        "again by its supervisor",
      about(bytes),
    );
    onExhausted();
  }

  const timer = setInterval(look, options.everyMs ?? LOOK_MS);
  return {
    state: () => ({ rss: rss(), limit, short }),
    look,
    stop: () => clearInterval(timer),
  };
}

/**
 * The guard as the settings have it, with its metrics; null where nobody says how much memory there
 * is.
 */
export function guardMemory(
  settings: Pick<
    Settings,
    "MEMORY_LIMIT_BYTES" | "MEMORY_GUARD_PERCENT" | "MEMORY_STOP_PERCENT"
  >,
  parts: {
    metrics: Pick<Metrics, "watch">;
    realtime: Pick<Realtime, "press">;
    onExhausted: () => void;
  },
): MemoryGuard | null {
  const limit = settings.MEMORY_LIMIT_BYTES ?? memoryLimit();
  if (limit === null) {
    logger.info("Memory is not guarded: set MEMORY_LIMIT_BYTES, which nothing here may be asked");
    return null;
  }
  const guard = watchMemory({
    limit,
    guardPercent: settings.MEMORY_GUARD_PERCENT,
    stopPercent: settings.MEMORY_STOP_PERCENT,
    onShort: (isShort) => parts.realtime.press(isShort),
    onExhausted: parts.onExhausted,
  });
  const { watch } = parts.metrics;
  watch("parley_memory_limit_bytes", "What this process may take", () => [{ value: limit }]);
  watch("parley_memory_short", "1 while new sockets are refused because memory is short", () => [{
    value: guard.state().short ? 1 : 0,
  }]);
  return guard;
}

/** A full collection; the runtime has no function for it unless it was started with a flag. */
function collectGarbage(): void {
  try {
    v8.setFlagsFromString("--expose-gc");
    vm.runInNewContext("gc")();
  } catch {
    // It happens by itself, later.
  }
}
