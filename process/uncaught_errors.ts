/** What happens to errors that nobody caught. ARCHITECTURE says why the process continues. */
import { reportError } from "./logging.ts";

/** Milliseconds in which the same error is logged once. */
const REPEAT_MS = 1000;

/**
 * Logs what nobody caught, where the runtime would end the process, and every socket with it.
 *
 * @param handles true: it has handled the error, and logged it
 */
export function logUncaughtErrors(
  handles: (error: unknown) => boolean = () => false,
  now: () => number = () => performance.now(),
): void {
  let lastText = "";
  let loggedAt = -Infinity;
  function log(event: Event, error: unknown): void {
    event.preventDefault();
    if (handles(error)) return;
    const text = String(error);
    // An error that repeats must not fill the disk.
    if (text === lastText && now() - loggedAt < REPEAT_MS) return;
    lastText = text;
    loggedAt = now();
    reportError(error, { uncaught: true });
  }
  globalThis.addEventListener("unhandledrejection", (event) => log(event, event.reason));
  globalThis.addEventListener("error", (event) => log(event, event.error));
}
