/** What an operator watches of the process and its machine, read at each scrape. */
import { statfs as statfsWithCallback } from "node:fs";
import { promisify } from "node:util";
import process from "node:process";
import type { Metrics } from "../domain/metrics.ts";

/** The one of node:fs/promises is missing before Deno 2.6, which Deno Deploy may run. */
const statfs = promisify(statfsWithCallback);

/** A folder on a share that does not answer must not hold up everything else. */
const DISK_MS = 1000;

/** @param dataDir whose disk is looked at; undefined: nothing is kept on one. */
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

/** Both values of one scrape are of one look. */
function createDisk(dataDir: string) {
  let look: Promise<{ free: number; size: number } | null> | null = null;
  return () => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    return look ??= Promise.race([
      statfs(dataDir).then(({ bavail, blocks, bsize }) => ({
        free: bavail * bsize,
        size: blocks * bsize,
      })),
      new Promise<null>((resolve) => {
        timer = setTimeout(() => resolve(null), DISK_MS);
      }),
    ]).catch(() => null).finally(() => {
      clearTimeout(timer);
      look = null;
    });
  };
}

/** null where the system does not say, or does not let anybody look. */
async function openDescriptors(): Promise<number | null> {
  try {
    let count = 0;
    for await (const _ of Deno.readDir("/proc/self/fd")) count++;
    // The one of this look is none of the others'.
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
