/**
 * Ends a process that its embedded database blocks. The engine runs in the main thread: when it
 * spins, no timer fires, no probe is answered and no signal is handled. Only another thread can act.
 */
import { getLogger } from "@logtape/logtape";
import { fatalLine, type LogFormat, plain } from "./logging.ts";

const logger = getLogger("parley");

const WORKER = new URL("./watchdog_worker.ts", import.meta.url);
/** How often the other thread checks. */
const CHECK_MS = 500;
/** Twice for each check, so that a live process always has a beat between two checks. */
const BEAT_MS = CHECK_MS / 2;

/** The message to the other thread. */
export interface Watched {
  /** Its one number changes while this thread is not blocked. */
  beats: Int32Array<SharedArrayBuffer>;
  checkMs: number;
  /** Checks without a beat after which the process is ended. */
  checks: number;
  /** The line that is logged then; its time is the beginning of the epoch. */
  line: string;
}

export interface Watchdog {
  /** From now on the process may be blocked for so long; 0: for ever. */
  allow(ms: number): void;
  stop(): void;
}

/** @param ms for which the process may be blocked at first; 0: for ever */
export function startWatchdog(ms: number, format: LogFormat): Watchdog {
  const refused = obstacle();
  if (refused !== null) {
    logger.warn(plain(`The embedded database is not watched: ${refused}`));
    return { allow() {}, stop() {} };
  }
  const beats = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
  const timer = setInterval(() => Atomics.add(beats, 0, 1), BEAT_MS);
  Deno.unrefTimer(timer);
  const worker = new Worker(WORKER, { type: "module" });
  worker.onerror = (event) => {
    event.preventDefault();
    watchdog.stop();
    logger.warn(plain(`The embedded database is no longer watched: ${event.message}`));
  };
  const watchdog: Watchdog = {
    allow(ms) {
      const seconds = Math.round(ms / 100) / 10;
      const sentence =
        `The embedded database has held this process up for ${seconds} s. It is ended, to be ` +
        "started again";
      const watched: Watched = {
        beats,
        checkMs: CHECK_MS,
        checks: ms === 0 ? Infinity : Math.ceil(ms / CHECK_MS),
        line: fatalLine(sentence, { seconds }, format),
      };
      worker.postMessage(watched);
    },
    stop() {
      clearInterval(timer);
      worker.terminate();
    },
  };
  watchdog.allow(ms);
  return watchdog;
}

/** Why the process cannot be watched here, or null. */
function obstacle(): string | null {
  if (Deno.pid === 1) {
    return "this is the first process of its container, which nobody within can end (start it " +
      "below an init, as docker run --init does)";
  }
  const { state } = Deno.permissions.querySync({ name: "read", path: WORKER });
  return state === "granted" ? null : `"${WORKER.pathname}" may not be read (--allow-read)`;
}
