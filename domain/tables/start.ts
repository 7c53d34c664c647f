import { createChangeFeed } from "../../db/change_feed.ts";
import { forgetOldChanges, type Retention, scrubDeletedTexts } from "../../db/change_retention.ts";
import { unfollowTables } from "../../db/followed_tables.ts";
import type { OpenDatabase } from "../../db/database.ts";
import type { EventBus } from "../events.ts";
import { createTables, type Tables } from "./service.ts";

export interface StartTablesOptions extends Retention {
  database: OpenDatabase;
  bus: EventBus;
  /** Changes in one answer. */
  maxReplay: number;
  onError: (error: unknown) => void;
}

/** Milliseconds between two looks for what is past the retention, and for deleted texts. */
const TIDY_EVERY_MS = 60_000;

/** The change feed on the bus, the subscriptions to it, and its bounds. */
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
