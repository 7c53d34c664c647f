/**
 * Whether the database can be reached. However many queries fail, an outage begins once and ends
 * once. During an outage one connection at a time is tried, and queries fail at once.
 */
import { getLogger } from "@logtape/logtape";
import { DatabaseUnavailable, type Trouble, troubleOf } from "./database_error.ts";

/** `read_only`: it answers, but takes no changes. */
export type AvailabilityState = "up" | "read_only" | "down";

export interface Availability {
  readonly state: AvailabilityState;
  /** Since when, in milliseconds since 1970. */
  readonly since: number;
  /** What is wrong, in the words of the database or the network; null while it is up. */
  readonly reason: string | null;
  /** Calls the listener after each change. @returns what ends that. */
  subscribe(listener: (availability: Availability) => void): () => void;
}

export interface Watch extends Availability {
  /** From now on trouble begins an outage; before, it is the caller's who opens the database. */
  arm(): void;
  /**
   * Resolves when a query can be sent. Waits for the end of a short outage.
   *
   * @throws {DatabaseUnavailable} at once in a longer one.
   */
  admit(): Promise<void> | void;
  /** A query or connection had trouble. `era`: the one in which its connection was made. */
  report(error: DatabaseUnavailable, era: number): void;
  /** Checks the database, because something may be wrong, such as an idle connection that ended. */
  suspect(error: unknown): void;
  /** Number of outages that have ended. Connections of an earlier era may be dead without an error. */
  readonly era: number;
  stop(): void;
}

/** How long queries at the beginning of an outage wait for its end, in milliseconds. */
const WAIT_MS = 1000;
/** Milliseconds between two tries, from the first to all that follow. */
const TRY_MS = [50, 100, 200, 300, 500] as const;

/** Trouble that is an outage. Other trouble is checked first. */
const OUTAGE: ReadonlySet<Trouble> = new Set(["connection", "read_only"]);
/** Trouble of one query, which does not concern others. */
const SINGLE: ReadonlySet<Trouble> = new Set([
  "statement_timeout",
  "lock_timeout",
  "deadlock",
  "idle_transaction",
]);

const logger = getLogger(["parley", "database"]);

/** @param probe opens a connection of its own, with a deadline, and resolves with the state. */
export function watchAvailability(
  probe: () => Promise<Exclude<AvailabilityState, "down">>,
  now: () => number = Date.now,
): Watch {
  const listeners = new Set<(availability: Availability) => void>();
  let state: AvailabilityState = "up";
  let since = now();
  let reason: string | null = null;
  let era = 0;
  let refused = 0;
  let armed = false;
  let stopped = false;
  let probing = false;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let waiting = Promise.withResolvers<void>();

  function change(next: AvailabilityState, why: string | null): void {
    if (stopped || next === state) return;
    const before = state;
    const lasted = now() - since;
    state = next;
    reason = why;
    if (before === "up") refused = 0;
    if (before === "up" || next === "up") since = now();
    if (next === "up") {
      era++;
      logger.info("The database is available again after {ms} ms", { ms: lasted, refused });
    } else if (before === "up") {
      logger.error(
        next === "down"
          ? "The database is not available: {reason}"
          : "The database takes no changes: {reason}",
        { reason: why },
      );
    }
    if (next !== "down") {
      waiting.resolve();
      waiting = Promise.withResolvers();
    }
    for (const listener of listeners) listener(watch);
  }

  async function check(tries = 0): Promise<void> {
    if (stopped) return;
    probing = true;
    try {
      const found = await probe();
      change(found, found === "up" ? null : "it is read-only");
    } catch (error) {
      change("down", error instanceof Error ? error.message : String(error));
    }
    probing = false;
    if (stopped || state === "up") return;
    const ms = TRY_MS[Math.min(tries, TRY_MS.length - 1)]!;
    timer = setTimeout(() => void check(tries + 1), ms);
  }

  function investigate(): void {
    if (stopped || !armed || probing) return;
    if (state !== "up") return;
    void check();
  }

  async function waitOut(): Promise<void> {
    const left = since + WAIT_MS - now();
    if (left > 0) {
      const { promise } = waiting;
      let late: ReturnType<typeof setTimeout> | undefined;
      await Promise.race([promise, new Promise((resolve) => late = setTimeout(resolve, left))]);
      clearTimeout(late);
    }
    if (state !== "down" || stopped) return;
    refused++;
    throw new DatabaseUnavailable("connection", new Error(reason ?? "an outage"));
  }

  const watch: Watch = {
    get state() {
      return state;
    },
    get since() {
      return since;
    },
    get reason() {
      return reason;
    },
    get era() {
      return era;
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    arm() {
      armed = true;
    },
    admit() {
      if (state === "down") return waitOut();
    },
    report(error, from) {
      refused++;
      if (!armed || from !== era || SINGLE.has(error.kind)) return;
      if (OUTAGE.has(error.kind) && state === "up") {
        change(error.kind === "read_only" ? "read_only" : "down", error.reason);
        if (!probing) void check();
      } else investigate();
    },
    suspect(error) {
      const kind = troubleOf(error);
      if (kind === null || !SINGLE.has(kind)) investigate();
    },
    stop() {
      stopped = true;
      clearTimeout(timer);
      waiting.resolve();
    },
  };
  return watch;
}

/** Of an engine in this process. */
export const ALWAYS_UP: Availability = {
  state: "up",
  since: Date.now(),
  reason: null,
  subscribe: () => () => {},
};
