/** Runs stored jobs at their time, each once in a cluster. README.md says how, and how to use it. */
import type { z } from "zod";
import type { Db } from "../../db/database.ts";
import type { ScheduledJobRow } from "../../db/types.ts";
import * as storage from "./storage.ts";

/** How long a node may be silent before another one repeats its job. */
const LEASE_MS = 60_000;
/** How often a node looks for jobs that others have stored. */
const POLL_MS = 30_000;
/** The pause before the next look where another node is taking what is due, or the database is away. */
const MIN_WAIT_MS = 50;
const OUTAGE_WAIT_MS = 1000;
/** Jobs that a node runs at a time. */
const AT_ONCE = 20;
/** Milliseconds before each repetition; after the last one the job has failed. */
const RETRIES_MS = [1000, 10_000, 60_000, 600_000, 3_600_000, 6 * 3_600_000];
/** How long a failed job is kept, for the operator. */
const KEEP_FAILED_MS = 7 * 24 * 3_600_000;
const CLEAN_EVERY_MS = 3_600_000;
/** Characters of an error that are stored. */
const MAX_ERROR = 500;

export interface JobRun {
  id: string;
  key: string | null;
  /** 1 for the first run. */
  attempt: number;
}

export type JobResult = "done" | "retried" | "failed";

export interface JobHandler<T> {
  /** A job with another payload fails. */
  payload: z.ZodType<T>;
  /**
   * Has to be idempotent: a job whose node dies after its effect is repeated. A rejection is tried
   * again.
   */
  run(payload: T, job: JobRun): Promise<void>;
}

export interface JobQueue {
  /** Before `start`. A node leaves jobs of kinds that it does not know to others. */
  handle<T>(kind: string, handler: JobHandler<T>): void;
  start(): void;
  /** Stores a job, and runs it at its time. */
  schedule(draft: storage.JobDraft): Promise<string>;
  cancel(kind: string, key: string): Promise<boolean>;
  /** After the commit of a transaction that called `insertJob`: a job is due at this time. */
  expect(at: Date): void;
  /** Ends after the jobs that are running. */
  stop(): Promise<void>;
}

export interface JobQueueOptions {
  db: Db;
  onError: (error: unknown) => void;
  /** Called with each run that ended. */
  onRun?: (kind: string, result: JobResult) => void;
  leaseMs?: number;
  retriesMs?: readonly number[];
}

export function createJobQueue(options: JobQueueOptions): JobQueue {
  const { db, onError, onRun = () => {}, leaseMs = LEASE_MS, retriesMs = RETRIES_MS } = options;
  const handlers = new Map<string, JobHandler<unknown>>();
  const running = new Map<string, { run: storage.Run; ended: Promise<void> }>();
  let started = false;
  let stopped = false;
  let checking: Promise<void> | null = null;
  /** The earliest job that was announced during the current look, which may have missed it. */
  let expected = Infinity;
  let timer: ReturnType<typeof setTimeout> | undefined;
  /** When the timer fires, by `Date.now()`. */
  let armedFor = Infinity;
  let cleanedAt = 0;

  function arm(ms: number): void {
    if (stopped || !started) return;
    clearTimeout(timer);
    const wait = Math.min(Math.max(ms, 0), POLL_MS);
    armedFor = Date.now() + wait;
    timer = setTimeout(check, wait);
  }

  function check(): void {
    if (stopped) return;
    if (checking !== null) {
      expected = 0;
      return;
    }
    expected = Infinity;
    checking = look().catch((error) => {
      onError(error);
      return OUTAGE_WAIT_MS;
    }).then((next) => {
      checking = null;
      arm(Math.min(next, expected - Date.now()));
    });
  }

  /** Starts what is due. @returns milliseconds until the next look */
  async function look(): Promise<number> {
    const kinds = [...handlers.keys()];
    if (Date.now() - cleanedAt > CLEAN_EVERY_MS) {
      await storage.forgetFailedJobs(db, KEEP_FAILED_MS);
      cleanedAt = Date.now();
    }
    for (let free; (free = AT_ONCE - running.size) > 0;) {
      const due = await storage.claimJobs(db, kinds, free, leaseMs);
      for (const job of due) begin(job);
      if (due.length === free) continue;
      return Math.max(await storage.untilNextJob(db, kinds) ?? POLL_MS, MIN_WAIT_MS);
    }
    // The end of a job looks again.
    return POLL_MS;
  }

  function begin(job: ScheduledJobRow): void {
    const run = { id: job.id, attempts: job.attempts };
    const id = crypto.randomUUID();
    const ended = perform(job, run).catch(onError).finally(() => {
      running.delete(id);
      if (running.size === AT_ONCE - 1) check();
    });
    running.set(id, { run, ended });
  }

  async function perform(job: ScheduledJobRow, run: storage.Run): Promise<void> {
    const { kind, id, key, attempts: attempt } = job;
    const handler = handlers.get(kind)!;
    const parsed = handler.payload.safeParse(job.payload);
    if (!parsed.success) {
      await fail(job, run, parsed.error);
      return;
    }
    const renewal = setInterval(
      () => void storage.extendLeases(db, [run], leaseMs).catch(onError),
      leaseMs / 2,
    );
    try {
      await handler.run(parsed.data, { id, key, attempt });
    } catch (error) {
      clearInterval(renewal);
      const delay = retriesMs[attempt - 1];
      if (delay === undefined) {
        await fail(job, run, error);
        return;
      }
      await storage.retryJob(db, run, describe(error), delay);
      onRun(kind, "retried");
      expect(new Date(Date.now() + delay));
      return;
    } finally {
      clearInterval(renewal);
    }
    await storage.removeJob(db, run);
    onRun(kind, "done");
  }

  async function fail({ kind }: ScheduledJobRow, run: storage.Run, error: unknown): Promise<void> {
    onError(new Error(`Cannot run the job ${run.id} of the kind "${kind}"`, { cause: error }));
    await storage.failJob(db, run, describe(error));
    onRun(kind, "failed");
  }

  function expect(at: Date): void {
    if (checking !== null) expected = Math.min(expected, at.getTime());
    else if (at.getTime() < armedFor) arm(at.getTime() - Date.now());
  }

  return {
    handle(kind, handler) {
      handlers.set(kind, handler as JobHandler<unknown>);
    },
    start() {
      started = true;
      if (handlers.size > 0) arm(0);
    },
    async schedule(draft) {
      const id = await storage.insertJob(db, draft);
      expect(draft.at);
      return id;
    },
    cancel: (kind, key) => storage.cancelJob(db, kind, key),
    expect,
    async stop() {
      stopped = true;
      clearTimeout(timer);
      await checking;
      await Promise.all([...running.values()].map(({ ended }) => ended));
    },
  };
}

function describe(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).slice(0, MAX_ERROR)
    .toWellFormed();
}
