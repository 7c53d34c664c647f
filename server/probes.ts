/** What /live, /ready and /health say of this server. */
import { sql } from "kysely";
import { createProbes, type Probes } from "../api/probes.ts";
import { inMegabytes } from "../db/disk_guard.ts";
import { databaseFailure } from "../db/failure.ts";
import type { BrokerKind } from "../process/open_broker.ts";
import type { MemoryGuard } from "../process/memory_guard.ts";
import type { Realtime } from "../realtime/types.ts";
import type { Core } from "./core.ts";

export function createServerProbes(
  { database, metrics }: Core,
  realtime: Realtime,
  memory: MemoryGuard | null,
  broker: BrokerKind,
): Probes {
  const { db, disk, availability } = database;
  metrics.watch("parley_ready", "Whether new traffic is welcome, as at /ready: 1, or 0", () => {
    const ready = availability.state === "up" && !realtime.draining;
    return [{ value: ready ? 1 : 0 }];
  });

  /** Why the database cannot be used, or null. */
  async function askDatabase(): Promise<string | null> {
    if (availability.state === "read_only") return "it takes no changes";
    try {
      await sql`select 1`.execute(db);
      return null;
    } catch (error) {
      return databaseFailure(error).words;
    }
  }

  function troubles(): string[] {
    const sentences: string[] = [];
    if (realtime.stats().nodesConnected === false) {
      sentences.push(
        `${broker === "redis" ? "Redis" : "The broker"} does not answer: ` +
          "what happens on other nodes is not heard here",
      );
    }
    if (memory?.state().short === true) {
      sentences.push("Memory is short: new sockets are refused");
    }
    if (disk?.low === true) {
      sentences.push(
        `The disk of DATA_DIR is nearly full: ${inMegabytes(disk.freeBytes ?? 0)} are ` +
          `free, and below ${inMegabytes(disk.minFreeBytes)} nothing is written`,
      );
    }
    return sentences;
  }

  function redisStatus(): string {
    if (broker !== "redis") return "not configured";
    return realtime.stats().nodesConnected === false ? "disconnected" : "connected";
  }

  return createProbes({
    database: askDatabase,
    troubles,
    draining: () => realtime.draining,
    services() {
      const { connections, authenticatedUsers, slowClosed, lingering } = realtime.stats();
      return {
        redis: redisStatus(),
        memory: memory?.state() ?? "not guarded",
        ...(disk === null ? {} : { disk: disk.low ? "low" : "ok" }),
        websocket: { status: "active", connections, authenticatedUsers, slowClosed, lingering },
      };
    },
    websocket: () => ({
      connections: realtime.stats().connections,
      status: realtime.draining ? "draining" : "healthy",
    }),
  });
}
