/** What happens to errors that nobody caught: ARCHITECTURE says why the process goes on. */
import { reportError } from "./logging.ts";

/** Milliseconds in which the same error is said once. */
const QUIET_MS = 1000;

/**
 * Logs what nobody caught, where the runtime would end the process, and every socket with it.
 *
 * @param handles true: it knows what to do about the error, and says so itself
 */
export function surviveUncaught(
  handles: (error: unknown) => boolean = () => false,
  now: () => number = () => performance.now(),
): void {
  let said = "";
  let saidAt = -Infinity;
  function survive(event: Event, error: unknown): void {
    event.preventDefault();
    if (handles(error)) return;
    const words = String(error);
    // A corner that fails over and over must not fill the disk with its words.
    if (words === said && now() - saidAt < QUIET_MS) return;
    said = words;
    saidAt = now();
    reportError(error, { uncaught: true });
  }
  globalThis.addEventListener("unhandledrejection", (event) => survive(event, event.reason));
  globalThis.addEventListener("error", (event) => survive(event, event.error));
}
