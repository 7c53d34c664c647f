/** What runs by itself: the search index, the upkeep of the embedded database, the audit log's end. */
import { startHousekeeping } from "../db/housekeeping.ts";
import { keepAudit } from "../domain/audit.ts";
import { watchEventLoop } from "../domain/metrics.ts";
import { createSearchIndexer } from "../domain/search/indexer.ts";
import type { Core } from "./core.ts";
import type { Services } from "./services.ts";

/** Milliseconds without a change after which the embedded database is tidied up. */
const QUIET_MS = 2000;

/** While less is free than this multiple of the minimum, the rest is for messages. */
const INDEX_SPARE = 2;

export interface Background {
  stop(): Promise<void>;
}

export function startBackground(core: Core, { writer }: Pick<Services, "writer">): Background {
  const { settings, database, bus, metrics, onError } = core;
  const { db, disk, engine } = database;
  const indexer = createSearchIndexer({
    db,
    bus,
    // The embedded database does nothing else during a step, so a step is short there.
    step: engine === "postgres" ? 500 : 50,
    hasSpace: () =>
      disk === null || disk.freeBytes === null ||
      disk.freeBytes > INDEX_SPARE * disk.minFreeBytes,
    onError,
  });
  let lastWrite = performance.now();
  bus.on("conversation.logged", () => lastWrite = performance.now());
  const housekeeping = engine === "postgres" ? null : startHousekeeping({
    db,
    isQuiet: () => writer.pending === 0 && performance.now() - lastWrite > QUIET_MS,
    onError,
  });
  const stopAudit = keepAudit(db, settings.retention.auditMs, onError);
  const stopWatching = watchEventLoop(metrics);
  return {
    async stop() {
      stopWatching();
      await indexer.stop();
      await housekeeping?.stop();
      await stopAudit();
    },
  };
}
