/**
 * The log through which the nodes of a small cluster communicate; `db/broker_log.ts` implements it.
 */

/** One entry: a batch of one node. */
export interface LogEntry {
  node: string;
  /** Counts the batches of that node, from 1. */
  n: number;
  items: string;
}

export interface BrokerLog {
  /** Where the log ends now, and a mark that changes when the log was emptied. */
  begin(): Promise<{ mark: string; positions: Map<string, number> }>;
  /** Repeating a number has no effect. @param forget own batches up to it can be deleted */
  append(n: number, items: string, forget: number): Promise<void>;
  /** The batches of other nodes after these positions, each node's in order. */
  read(
    after: ReadonlyMap<string, number>,
    limit: number,
  ): Promise<{ mark: string; entries: LogEntry[] }>;
  /** Deletes batches of all nodes that are older. */
  forgetOld(ageMs: number): Promise<void>;
  /** Ends its connections. */
  close(): Promise<void>;
  /** @param onAppended called with the node that appended, undefined where it is not known */
  listen(onAppended: (node?: string) => void): Promise<{ stop(): Promise<void> }>;
}

/** A message for a room, or for the nodes (""), as JSON. */
export type Item = [room: string, json: string];

export const NODES = "";

export interface LogTimes {
  /** Batches that are older may be deleted. */
  keepMs: number;
  /** Between two reads while notifications arrive. */
  pollMs: number;
  /** Between two reads while no notifications arrive. */
  fallbackPollMs: number;
  /** A node's own notification should arrive within this time. */
  notificationTimeoutMs: number;
  /** Before a retry; the first is doubled up to the second. */
  retryMs: readonly [number, number];
}

export const LOG_TIMES: LogTimes = {
  keepMs: 60_000,
  pollMs: 2000,
  fallbackPollMs: 250,
  notificationTimeoutMs: 2000,
  retryMs: [100, 1000],
};

/** Without an answer for this time, the database counts as not reachable. */
const ANSWER_TIMEOUT_MS = 2000;

/** The state of one direction of the traffic with the log. */
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
      return !failed && (since === null || performance.now() - since < ANSWER_TIMEOUT_MS);
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
