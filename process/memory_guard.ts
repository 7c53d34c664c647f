/**
 * Watches the memory of the process. The runtime buffers what a peer sends in fragments, without a
 * bound. So near the limit new sockets are refused, and at the limit the process drains and ends by
 * itself, before the system kills it in the middle of something.
 */
import v8 from "node:v8";
import vm from "node:vm";
import { getLogger } from "@logtape/logtape";
import type { Metrics } from "../domain/metrics.ts";
import { memoryLimit } from "./memory_limit.ts";
import type { Realtime } from "../realtime/types.ts";
import type { Settings } from "../settings.ts";

const logger = getLogger("parley");

/** How often memory is read. */
const CHECK_MS = 250;
/** Shortest time between two garbage collections while memory is short. */
const COLLECT_MS = 30_000;
/** Part of the limit by which memory has to fall below the first bound to be no longer short. */
const SLACK = 0.03;

export interface MemoryGuardOptions {
  /** Bytes that the process may take. */
  limit: number;
  /** Percent of the limit past which memory is short; 0: never. */
  guardPercent: number;
  /** Percent of the limit past which the process ends; 0: never. */
  stopPercent: number;
  /** Memory is short, or no longer. @returns how many sockets were closed. */
  onShort: (isShort: boolean) => number;
  /** Called once. */
  onFatal: () => void;
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
  /** Checks now; otherwise every `everyMs`. */
  check(): void;
  stop(): void;
}

export function watchMemory(options: MemoryGuardOptions): MemoryGuard {
  const { limit, guardPercent, stopPercent, onShort, onFatal } = options;
  const { rss = () => Deno.memoryUsage().rss, collect = collectGarbage, now = Date.now } = options;
  const first = guardPercent === 0 ? Infinity : limit * guardPercent / 100;
  const last = stopPercent === 0 ? Infinity : limit * stopPercent / 100;
  let short = false;
  let exhausted = false;
  let since = 0;
  let collectedAt = -Infinity;

  const about = (bytes: number) => ({
    rss: bytes,
    limit,
    percent: Math.round(bytes / limit * 1000) / 10,
  });

  function check(): void {
    if (exhausted) return;
    let bytes = rss();
    // Garbage is no reason to refuse or close anything.
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
    exhausted = true;
    clearInterval(timer);
    logger.error(
      "Memory is exhausted: {rss} of {limit} bytes; the process ends after a drain, to be started " +
        "again by its supervisor",
      about(bytes),
    );
    onFatal();
  }

  const timer = setInterval(check, options.everyMs ?? CHECK_MS);
  return {
    state: () => ({ rss: rss(), limit, short }),
    check,
    stop: () => clearInterval(timer),
  };
}

/** The guard with its settings and metrics; null where the limit is not known. */
export function guardMemory(
  settings: Settings["memory"],
  parts: {
    metrics: Pick<Metrics, "watch">;
    realtime: Pick<Realtime, "setMemoryPressure">;
    onFatal: () => void;
  },
): MemoryGuard | null {
  const limit = settings.limitBytes ?? memoryLimit();
  if (limit === null) {
    logger.info("Memory is not guarded: set MEMORY_LIMIT_BYTES, which nothing here may be asked");
    return null;
  }
  const guard = watchMemory({
    limit,
    guardPercent: settings.guardPercent,
    stopPercent: settings.stopPercent,
    onShort: (isShort) => parts.realtime.setMemoryPressure(isShort),
    onFatal: parts.onFatal,
  });
  const { watch } = parts.metrics;
  watch("parley_memory_limit_bytes", "What this process may take", () => [{ value: limit }]);
  watch("parley_memory_short", "1 while new sockets are refused because memory is short", () => [{
    value: guard.state().short ? 1 : 0,
  }]);
  return guard;
}

/** A full collection. The runtime has no function for it unless it was started with a flag. */
function collectGarbage(): void {
  try {
    v8.setFlagsFromString("--expose-gc");
    vm.runInNewContext("gc")();
  } catch {
    // The runtime collects by itself, later.
  }
}
