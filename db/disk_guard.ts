/**
 * Watches the free space of the disk that the embedded database is on. Postgres cannot be relied on
 * to survive a full one within this process, so changes are refused before.
 */
import { statfsSync } from "node:fs";
import { getLogger } from "@logtape/logtape";

const logger = getLogger(["parley", "database"]);

export interface Disk {
  /** Less than the minimum is free: nothing is written. */
  readonly low: boolean;
  /** Free bytes at the last look; null: the system does not say. */
  readonly freeBytes: number | null;
  readonly minFreeBytes: number;
}

export interface DiskGuard extends Disk {
  /**
   * Whether changes are to be refused now.
   *
   * @param bytes that the statement brings along
   */
  refuses(bytes: number): boolean;
  stop(): void;
}

/** Milliseconds between two looks while nobody writes. */
const LOOK_MS = 1000;
/**
 * What a byte of a change may cost on the disk: row, log of changes, indexes, and the same again in
 * the write-ahead log. Only how often is looked depends on it.
 */
const COST = 16;
/** What a statement costs at least, in pages and log. */
const STATEMENT_BYTES = 65_536;
/** Above the minimum, from where it takes changes again: at the edge it would say so without end. */
const SPARE = 1.1;

/** Free bytes for this user. @throws where the system or a permission forbids to look. */
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
  let lookedAt = 0;
  let lowSince = 0;
  /** At most what was written since the last look. */
  let written = 0;

  function look(): void {
    if (unknown) return;
    lookedAt = now();
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
      lowSince = lookedAt;
      logger.error("The disk of DATA_DIR is nearly full: nothing is written until there is space", {
        freeBytes: free,
        minFreeBytes,
      });
    } else if (low && free >= minFreeBytes * SPARE) {
      low = false;
      logger.info("The disk of DATA_DIR has space again after {ms} ms", {
        ms: Math.round(lookedAt - lowSince),
        freeBytes: free,
      });
    }
  }

  look();
  const timer = unknown ? undefined : setInterval(look, LOOK_MS);
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
      // A burst cannot use up what lies between two looks.
      if (low || written * COST > free - minFreeBytes) look();
      return low;
    },
    stop: () => clearInterval(timer),
  };
}
