/** How much memory this process may take, as far as that can be read. */

/** Values from here on mean "no limit" in cgroup v1. */
const UNLIMITED = 2 ** 60;

export interface MemorySources {
  /** The text of a file, null where it is not there or may not be read. */
  read: (path: string) => string | null;
  /** Bytes of the machine, null where that may not be read. */
  machine: () => number | null;
}

/**
 * Bytes of the container (cgroup v2 or v1, the tightest on the way up) or of the machine, whichever
 * is less; null where neither may be read. Without `--allow-all` the runtime forbids to read
 * /sys/fs/cgroup, so the image passes MEMORY_LIMIT_BYTES instead.
 */
export function memoryLimit(sources: MemorySources = { read, machine }): number | null {
  const cgroups = sources.read("/proc/self/cgroup") ?? "";
  const limits = [sources.machine()];
  for (const line of cgroups.split("\n")) {
    const [, controllers, path] = /^\d+:([^:]*):(.*)$/.exec(line) ?? [];
    if (path === undefined) continue;
    if (controllers === "") {
      limits.push(...upwards(path).map((at) => bytesIn(`/sys/fs/cgroup${at}/memory.max`)));
    } else if (controllers!.split(",").includes("memory")) {
      const v1 = (at: string) => bytesIn(`/sys/fs/cgroup/memory${at}/memory.limit_in_bytes`);
      limits.push(...upwards(path).map(v1));
    }
  }
  const known = limits.filter((bytes) => bytes !== null);
  return known.length === 0 ? null : Math.min(...known);

  function bytesIn(path: string): number | null {
    const bytes = Number(sources.read(path)?.trim() || NaN);
    return Number.isFinite(bytes) && bytes > 0 && bytes < UNLIMITED ? bytes : null;
  }
}

/** "/a/b" → "/a/b", "/a", "": inside a container the path may be that of the host. */
function upwards(path: string): string[] {
  const parts = path.split("/").filter((part) => part !== "");
  return Array.from(
    { length: parts.length + 1 },
    (_, i) => parts.slice(0, parts.length - i).map((part) => `/${part}`).join(""),
  );
}

/** Does not ask for the permission: a prompt in a terminal would block the start. */
function isGranted(descriptor: Deno.PermissionDescriptor): boolean {
  return Deno.permissions.querySync(descriptor).state === "granted";
}

function read(path: string): string | null {
  try {
    return isGranted({ name: "read", path }) ? Deno.readTextFileSync(path) : null;
  } catch {
    return null;
  }
}

function machine(): number | null {
  if (!isGranted({ name: "sys", kind: "systemMemoryInfo" })) return null;
  return Deno.systemMemoryInfo().total;
}
