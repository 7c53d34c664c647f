/**
 * Reads the change feed, which the triggers of 004_change_feed.ts write for tables that are followed.
 * Every process reads it for itself while a client there follows a table. NOTIFY wakes it, and it
 * polls in case a NOTIFY was lost.
 */
import { setImmediate } from "node:timers/promises";
import type { Db } from "./types.ts";
import {
  type Change,
  type Hint,
  readAfter,
  readBetween,
  readForgotten,
  readPosition,
} from "./change_queries.ts";
import {
  type Followed,
  followTable,
  recordedSince,
  RENEW_MS,
  stillWriting,
} from "./followed_tables.ts";
import type { Listen, Listening } from "./listen.ts";

export type { Change, ChangedRow, Hint } from "./change_queries.ts";

export interface ChangeFeed {
  /**
   * Records and reads these tables until the returned function is called. Resolves when every later
   * commit will be delivered. An earlier transaction that is still open may have changes that are
   * not recorded: where it takes long, `onLost` is called when it ends.
   */
  hold(tables: readonly string[]): Promise<() => void>;
  /** The id of the last committed change; 0 before the first one. */
  position(): Promise<number>;
  /**
   * Changes of a table with ids above `after` and up to `upTo`, in order; at least those that match
   * all `hints`. null: some are forgotten.
   */
  between(
    table: string,
    after: number,
    upTo: number,
    hints: readonly Hint[],
  ): Promise<Change[] | null>;
  stop(): Promise<void>;
}

export interface ChangeFeedOptions {
  db: Db;
  listen: Listen;
  /** The next changes, in the order of commits, each once. */
  onChanges: (changes: Change[]) => void;
  /** Changes were forgotten before they were read: followers have missed something. */
  onLost: () => void;
  onError: (error: unknown) => void;
  /** Milliseconds for which a table is recorded after its last follower has gone. */
  keepMs: number;
  /** Milliseconds between two polls. */
  pollMs?: number;
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

const CHANNEL = "parley_changes";
/** Changes that are read at once. */
const CHUNK = 200;
/** Changes that are delivered at once: sockets send them before the next ones come. */
const SLICE = 25;
/** Milliseconds between two checks for transactions that began before a table was followed. */
const CHECK_MS = 20;
/** Checks after which `hold` resolves although such a transaction is open. */
const MAX_CHECKS = 50;

export function createChangeFeed(options: ChangeFeedOptions): ChangeFeed {
  const { db, onChanges, onLost, onError, keepMs, pollMs = 2000 } = options;
  /** For each table the number of holds, and the recording (`Followed.since`). */
  const followed = new Map<string, { holds: number; since: string | null }>();
  let renewal: ReturnType<typeof setInterval> | undefined;
  let renewing: Promise<void> = Promise.resolve();
  const awaiting = new Set<Promise<void>>();
  let holds = 0;
  let cursor = 0;
  let started: Promise<Listening> | null = null;
  let timer: ReturnType<typeof setInterval> | undefined;
  let reading: Promise<void> | null = null;
  let again = false;
  let stopped = false;
  /** The end of the last run, which the next one waits for. */
  let ending = Promise.resolve();

  async function start(): Promise<Listening> {
    const listening = await options.listen(CHANNEL, wake);
    try {
      // After LISTEN, so that every later commit wakes this process.
      cursor = await readPosition(db);
    } catch (error) {
      await listening.stop();
      throw error;
    }
    timer = setInterval(wake, pollMs);
    return listening;
  }

  async function end(listening: Promise<Listening>): Promise<void> {
    // One that is still starting sets the timer at its end.
    const one = await listening.catch(() => null);
    clearInterval(timer);
    timer = undefined;
    await reading;
    await one?.stop();
  }

  function wake(): void {
    if (timer === undefined) return;
    again = true;
    reading ??= readAll().catch(onError).finally(() => reading = null);
  }

  async function readAll(): Promise<void> {
    while (again && timer !== undefined) {
      again = false;
      for (;;) {
        const { changes, forgotten } = await readAfter(db, cursor, CHUNK);
        if (timer === undefined) return;
        if (forgotten > cursor) {
          cursor = await readPosition(db);
          onLost();
          break;
        }
        if (changes.length > 0) {
          cursor = changes.at(-1)!.id;
          for (let from = 0; from < changes.length; from += SLICE) {
            onChanges(changes.slice(from, from + SLICE));
            // Also after the last one: the embedded database reads the next ones in the same turn.
            await setImmediate();
            if (timer === undefined) return;
          }
        }
        if (changes.length < CHUNK) break;
      }
    }
  }

  async function follow(table: string): Promise<void> {
    const entry = followed.get(table)!;
    const state = await followTable(db, table, keepMs + 2 * RENEW_MS);
    if (entry.since !== null && entry.since !== state.since) onLost();
    entry.since = state.since;
    for (let checks = 0; state.writers.length > 0; checks++) {
      if (checks === MAX_CHECKS) {
        const late = awaitWriters(table, state).finally(() => awaiting.delete(late));
        awaiting.add(late);
        return;
      }
      await pause(CHECK_MS);
      state.writers = await stillWriting(db, table, state);
    }
  }

  /** When a long earlier transaction ends, followers have to read the table again. */
  async function awaitWriters(table: string, state: Followed): Promise<void> {
    while (!stopped) {
      try {
        await pause(MAX_CHECKS * CHECK_MS);
        if (stopped) return;
        state.writers = await stillWriting(db, table, state);
        if (state.writers.length > 0) continue;
        return onLost();
      } catch (error) {
        onError(error);
      }
    }
  }

  async function renew(): Promise<void> {
    for (const table of [...followed.keys()]) {
      if (stopped || !followed.has(table)) continue;
      await follow(table).catch(onError);
    }
  }

  function addHolds(tables: readonly string[]): void {
    for (const table of tables) {
      const entry = followed.get(table) ?? { holds: 0, since: null };
      entry.holds++;
      followed.set(table, entry);
    }
    renewal ??= setInterval(() => renewing = renewing.then(renew), RENEW_MS);
  }

  function removeHolds(tables: readonly string[]): void {
    for (const table of tables) {
      const entry = followed.get(table)!;
      if (--entry.holds === 0) followed.delete(table);
    }
    if (followed.size > 0) return;
    clearInterval(renewal);
    renewal = undefined;
  }

  return {
    async hold(tables) {
      if (stopped) throw new Error("Cannot follow changes: the feed was stopped");
      addHolds(tables);
      holds++;
      let held = true;
      const release = () => {
        if (!held) return;
        held = false;
        removeHolds(tables);
        if (--holds > 0 || started === null) return;
        const listening = started;
        started = null;
        ending = ending.then(() => end(listening)).catch(onError);
      };
      try {
        // A run begins after the last one has ended: they share the timer and the position.
        started ??= ending.then(start);
        await started;
        await Promise.all(tables.map(follow));
        return release;
      } catch (error) {
        if (!held) throw error;
        held = false;
        removeHolds(tables);
        if (--holds === 0) started = null;
        throw error;
      }
    },

    position: () => readPosition(db),

    async between(table, after, upTo, hints) {
      const changes = await readBetween(db, table, after, upTo, hints);
      // Checked last: what is forgotten from now on has been read.
      if (await readForgotten(db) > after) return null;
      const since = await recordedSince(db, table);
      return since === null || since > after ? null : changes;
    },

    async stop() {
      stopped = true;
      clearInterval(renewal);
      const listening = started;
      started = null;
      await renewing;
      await Promise.all(awaiting);
      await ending;
      if (listening !== null) await end(listening);
    },
  };
}
