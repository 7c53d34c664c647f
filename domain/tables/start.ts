import { createChangeFeed } from "../../db/change_feed.ts";
import { forgetOldChanges, type Retention, scrubDeletedTexts } from "../../db/change_retention.ts";
import { unfollowTables } from "../../db/followed_tables.ts";
import type { OpenDatabase } from "../../db/database.ts";
import type { EventBus } from "../events.ts";
import { createTables, type Tables } from "./service.ts";

export interface StartTablesOptions extends Retention {
  database: OpenDatabase;
  bus: EventBus;
  /** Changes in one replay. */
  maxReplay: number;
  onError: (error: unknown) => void;
}

/** Milliseconds between two runs that remove old changes and deleted texts. */
const TIDY_EVERY_MS = 60_000;

/** Connects the change feed to the bus, and removes what is past the retention. */
export function startTables(
  options: StartTablesOptions,
): { tables: Tables; stop(): Promise<void> } {
  const { database, bus, maxReplay, onError, keepMs, maxChanges } = options;
  const { db, jobs, epoch, listen } = database;
  const feed = createChangeFeed({
    db,
    listen,
    onChanges: (changes) => bus.emit("table.changed", { changes }),
    onLost: () => bus.emit("table.lost", {}),
    onError,
    keepMs,
  });

  let scrubbed = 0;
  async function tidy(): Promise<void> {
    scrubbed = await scrubDeletedTexts(jobs, scrubbed);
    await forgetOldChanges(jobs, { keepMs, maxChanges });
    await unfollowTables(jobs);
  }
  let tidying: Promise<void> | null = null;
  const timer = setInterval(() => {
    tidying ??= tidy().catch(onError).finally(() => tidying = null);
  }, Math.min(TIDY_EVERY_MS, Math.max(1000, keepMs)));

  return {
    tables: createTables({ db, feed, epoch, maxReplay }),
    async stop() {
      clearInterval(timer);
      await tidying;
      await feed.stop();
    },
  };
}
