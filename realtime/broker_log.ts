/** What the nodes of a small cluster write to each other; `db/broker_log.ts` keeps it in Postgres. */

/** One entry: a batch of one node. */
export interface LogEntry {
  node: string;
  /** Counts the batches of that node, from 1. */
  n: number;
  items: string;
}

export interface BrokerLog {
  /** Where the log ends now, and a mark that changes when the log lost what was in it. */
  begin(): Promise<{ mark: string; positions: Map<string, number> }>;
  /** Repeating a number changes nothing. `forget`: own batches up to it need not be kept. */
  append(n: number, items: string, forget: number): Promise<void>;
  /** What others said after these positions, each node's in order. */
  read(
    after: ReadonlyMap<string, number>,
    limit: number,
  ): Promise<{ mark: string; entries: LogEntry[] }>;
  /** Forgets what any node said longer ago than that. */
  forgetOld(ageMs: number): Promise<void>;
  /** Ends its connections. */
  close(): Promise<void>;
  /** Calls back with the name of who said something; without one when that is not known. */
  listen(onSaid: (node?: string) => void): Promise<{ stop(): Promise<void> }>;
}

/** For one room, or for the nodes themselves (""), as JSON. */
export type Item = [room: string, json: string];

export const NODES = "";

export interface LogTimes {
  /** What is older may be gone from the log. */
  keepMs: number;
  /** Between two looks while notifications come. */
  pollMs: number;
  /** Between two looks while none come. */
  deafPollMs: number;
  /** After which a node's own notification should have come. */
  deafMs: number;
  /** Before what failed is tried again; doubles up to the second. */
  retryMs: readonly [number, number];
}

export const LOG_TIMES: LogTimes = {
  keepMs: 60_000,
  pollMs: 2000,
  deafPollMs: 250,
  deafMs: 2000,
  retryMs: [100, 1000],
};

/** After which an answer is late enough to say that the database cannot be reached. */
const LATE_MS = 2000;

/** How one direction of the traffic with the log is. */
export interface Link {
  readonly works: boolean;
  readonly failed: boolean;
  /** @throws what `work` throws. */
  run<T>(work: () => Promise<T>): Promise<T>;
}

export function createLink(onFailure: (error: unknown) => void): Link {
  let failed = false;
  let since: number | null = null;
  return {
    get works() {
      return !failed && (since === null || performance.now() - since < LATE_MS);
    },
    get failed() {
      return failed;
    },
    async run(work) {
      since = performance.now();
      try {
        const result = await work();
        failed = false;
        return result;
      } catch (error) {
        if (!failed) onFailure(error);
        failed = true;
        throw error;
      } finally {
        since = null;
      }
    },
  };
}
