/** Metrics of the process and its machine, read at each scrape. */
import { statfs as statfsWithCallback } from "node:fs";
import { promisify } from "node:util";
import process from "node:process";
import type { Metrics } from "../domain/metrics.ts";

/** The one of node:fs/promises is missing before Deno 2.6, which Deno Deploy may run. */
const statfs = promisify(statfsWithCallback);

/** A network share that does not respond must not delay the scrape. */
const DISK_MS = 1000;

/** @param dataDir on the disk that is measured; undefined: none is used. */
export function watchProcess({ watch }: Metrics, dataDir: string | undefined): void {
  const one = (
    name: string,
    help: string,
    read: () => Promise<number | null> | number | null,
    kind?: "counter",
  ) =>
    watch(
      name,
      help,
      async () => {
        const value = await read();
        return value === null ? [] : [{ value }];
      },
      [],
      kind,
      "process",
    );
  const started = Date.now() / 1000 - performance.now() / 1000;
  one("process_start_time_seconds", "Start, in seconds since the epoch", () => started);
  one("process_resident_memory_bytes", "Resident memory", () => Deno.memoryUsage().rss);
  one("process_cpu_seconds_total", "User and system time", () => {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1e6;
  }, "counter");
  one("process_open_fds", "Open file descriptors, sockets among them", openDescriptors);
  one("process_max_fds", "How many descriptors may be open", maxDescriptors);
  watch("process_heap_bytes", "JavaScript heap in use", () => [{
    value: Deno.memoryUsage().heapUsed,
  }]);
  if (dataDir === undefined) return;
  const disk = createDisk(dataDir);
  one(
    "parley_disk_free_bytes",
    "Free space for DATA_DIR",
    async () => (await disk())?.free ?? null,
  );
  one(
    "parley_disk_bytes",
    "Size of the disk of DATA_DIR",
    async () => (await disk())?.size ?? null,
  );
}

/** Both values of a scrape come from one call. */
function createDisk(dataDir: string) {
  let pending: Promise<{ free: number; size: number } | null> | null = null;
  return () => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    return pending ??= Promise.race([
      statfs(dataDir).then(({ bavail, blocks, bsize }) => ({
        free: bavail * bsize,
        size: blocks * bsize,
      })),
      new Promise<null>((resolve) => {
        timer = setTimeout(() => resolve(null), DISK_MS);
      }),
    ]).catch(() => null).finally(() => {
      clearTimeout(timer);
      pending = null;
    });
  };
}

/** null where the system does not tell. */
async function openDescriptors(): Promise<number | null> {
  try {
    let count = 0;
    for await (const _ of Deno.readDir("/proc/self/fd")) count++;
    // Without the descriptor of this read.
    return count - 1;
  } catch {
    return null;
  }
}

async function maxDescriptors(): Promise<number | null> {
  try {
    const limits = await Deno.readTextFile("/proc/self/limits");
    const soft = /^Max open files\s+(\d+)/m.exec(limits)?.[1];
    return soft === undefined ? null : Number(soft);
  } catch {
    return null;
  }
}
