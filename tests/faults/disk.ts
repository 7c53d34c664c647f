/** A small file system in memory, which can be filled up and freed. */
import { makeTempDir } from "../support/temp_dir.ts";
import type { Reaper } from "./reaper.ts";

export interface Disk {
  readonly dir: string;
  /** Leaves nothing free. */
  fill(): Promise<void>;
  empty(): Promise<void>;
  close(): Promise<void>;
}

async function run(program: string, ...args: string[]): Promise<boolean> {
  const { code } = await new Deno.Command(program, { args, stdout: "null", stderr: "null" })
    .output().catch(() => ({ code: 1 }));
  return code === 0;
}

/** Only root may mount, and not in every container. */
export function canMount(): boolean {
  const status = Deno.readTextFileSync("/proc/self/status");
  const effective = BigInt(`0x${/^CapEff:\s*([0-9a-f]+)/m.exec(status)?.[1] ?? "0"}`);
  const CAP_SYS_ADMIN = 21n;
  return (effective >> CAP_SYS_ADMIN & 1n) === 1n;
}

export async function mountDisk(reaper: Reaper, mebibytes: number): Promise<Disk> {
  const dir = await makeTempDir();
  await reaper.guard(dir);
  if (!await run("mount", "-t", "tmpfs", "-o", `size=${mebibytes}m,mode=755`, "tmpfs", dir)) {
    throw new Error(`Cannot mount a file system on "${dir}"`);
  }
  const filler = `${dir}/filler`;
  return {
    dir,
    async fill() {
      using file = await Deno.open(filler, { create: true, append: true });
      // The last blocks one by one.
      for (let size = 1 << 20; size >= 512; size /= 2) {
        const block = new Uint8Array(size);
        try {
          for (;;) await file.write(block);
        } catch {
          // It is full for blocks of this size.
        }
      }
    },
    empty: () => Deno.remove(filler),
    async close() {
      await run("umount", "-l", dir);
      await Deno.remove(dir, { recursive: true });
    },
  };
}
