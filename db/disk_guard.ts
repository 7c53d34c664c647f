/**
 * Watches the free space on the disk of the embedded database. Postgres within this process may not
 * survive a full disk, so changes are refused before that.
 */
import { statfsSync } from "node:fs";
import { getLogger } from "@logtape/logtape";

const logger = getLogger(["parley", "database"]);

export interface Disk {
  /** Less than the minimum is free: changes are refused. */
  readonly low: boolean;
  /** Free bytes at the last check; null: not known. */
  readonly freeBytes: number | null;
  readonly minFreeBytes: number;
}

export interface DiskGuard extends Disk {
  /**
   * Whether a statement with a change has to be refused now.
   *
   * @param bytes of the statement
   */
  refuses(bytes: number): boolean;
  stop(): void;
}

/** Milliseconds between two checks without writes. */
const CHECK_MS = 1000;
/**
 * Bytes on the disk for a byte of a change: row, change feed, indexes, and all of it in the
 * write-ahead log, too. Only the frequency of checks depends on it.
 */
const COST = 16;
/** Minimum of a statement, in pages and log. */
const STATEMENT_BYTES = 65_536;
/** Changes are accepted again from this multiple of the minimum, so that the state does not flap. */
const SPARE = 1.1;

/** Free bytes for this user. @throws where the system or a permission forbids it. */
export function freeBytesOf(path: string): number {
  const { bavail, bsize } = statfsSync(path);
  return Number(bavail) * Number(bsize);
}

const MB = 1_000_000;
export const inMegabytes = (bytes: number): string => `${Math.floor(bytes / MB)} MB`;

export interface DiskGuardOptions {
  path: string;
  /** 0: it is not watched. */
  minFreeBytes: number;
  read?: (path: string) => number;
  now?: () => number;
}

export function createDiskGuard(options: DiskGuardOptions): DiskGuard {
  const { path, minFreeBytes, read = freeBytesOf, now = () => performance.now() } = options;
  let free: number | null = null;
  let low = false;
  let unknown = minFreeBytes === 0;
  let checkedAt = 0;
  let lowSince = 0;
  /** Upper bound of what was written since the last check. */
  let written = 0;

  function check(): void {
    if (unknown) return;
    checkedAt = now();
    written = 0;
    try {
      free = read(path);
    } catch (error) {
      unknown = true;
      free = null;
      logger.warn("The disk of DATA_DIR is not watched: {reason}", {
        reason: error instanceof Error ? error.message : String(error),
      });
      return;
    }
    if (!low && free < minFreeBytes) {
      low = true;
      lowSince = checkedAt;
      logger.error("The disk of DATA_DIR is nearly full: nothing is written until there is space", {
        freeBytes: free,
        minFreeBytes,
      });
    } else if (low && free >= minFreeBytes * SPARE) {
      low = false;
      logger.info("The disk of DATA_DIR has space again after {ms} ms", {
        ms: Math.round(checkedAt - lowSince),
        freeBytes: free,
      });
    }
  }

  check();
  const timer = unknown ? undefined : setInterval(check, CHECK_MS);
  return {
    get low() {
      return low;
    },
    get freeBytes() {
      return free;
    },
    minFreeBytes,
    refuses(bytes) {
      if (unknown || free === null) return false;
      written += bytes + STATEMENT_BYTES;
      // Checked again before a burst of writes can use up the rest.
      if (low || written * COST > free - minFreeBytes) check();
      return low;
    },
    stop: () => clearInterval(timer),
  };
}
