/** Files in a folder of this machine's disk. */
import { ParleyError } from "../../protocol/errors.ts";
import { freeBytesOf } from "../../db/disk_guard.ts";
import { makeDataDir } from "../../db/data_dir.ts";
import type { ByteRange, FileStore } from "./store.ts";

export interface DiskStoreOptions {
  /** DATA_DIR, in which the folder "files" is. */
  dataDir: string;
  /** Below this nothing is stored, so that the database keeps room; 0: not watched. */
  minFreeBytes: number;
}

/** Between two checks of the free space while a file is written. */
const CHECK_BYTES = 8_000_000;
/** Unfinished files that are older belong to a process that is gone; milliseconds. */
const FORGOTTEN_MS = 24 * 3_600_000;
const RETRY_MS = 30_000;

export function createDiskStore({ dataDir, minFreeBytes }: DiskStoreOptions): FileStore {
  const root = `${dataDir}/files`;
  const unfinished = `${root}/unfinished`;
  let ready: Promise<void> | undefined;

  async function prepare(): Promise<void> {
    await makeDataDir(dataDir);
    await Deno.mkdir(unfinished, { recursive: true, mode: 0o700 });
    for await (const { name } of Deno.readDir(unfinished)) {
      const path = `${unfinished}/${name}`;
      const { mtime } = await Deno.stat(path).catch(() => ({ mtime: null }));
      if (mtime === null || Date.now() - mtime.getTime() < FORGOTTEN_MS) continue;
      await Deno.remove(path).catch(() => {});
    }
  }

  function mustHaveSpace(): void {
    if (minFreeBytes === 0) return;
    let free: number;
    try {
      free = freeBytesOf(root);
    } catch {
      return;
    }
    if (free < minFreeBytes) throw full();
  }

  async function write(path: string, chunks: AsyncIterable<Uint8Array>): Promise<void> {
    const file = await Deno.open(path, { write: true, createNew: true, mode: 0o600 });
    try {
      let unchecked = Infinity;
      for await (const chunk of chunks) {
        unchecked += chunk.length;
        if (unchecked > CHECK_BYTES) {
          mustHaveSpace();
          unchecked = 0;
        }
        for (let at = 0; at < chunk.length;) at += await file.write(chunk.subarray(at));
      }
      await file.syncData();
    } finally {
      file.close();
    }
  }

  return {
    async put(key, chunks) {
      ready ??= prepare();
      await ready.catch((error) => {
        ready = undefined;
        throw error;
      });
      const path = `${root}/${key}`;
      const temporary = `${unfinished}/${key.replace("/", "")}`;
      try {
        await write(temporary, chunks);
        const folder = path.slice(0, path.lastIndexOf("/"));
        await Deno.mkdir(folder, { recursive: true, mode: 0o700 });
        await Deno.rename(temporary, path);
        await syncFolder(folder);
      } catch (error) {
        await Deno.remove(temporary).catch(() => {});
        throw isFull(error) ? full(error) : error;
      }
    },

    async get(key, range) {
      try {
        const file = await Deno.open(`${root}/${key}`, { read: true });
        return range === undefined ? file.readable : await part(file, range);
      } catch (error) {
        if (error instanceof Deno.errors.NotFound) return null;
        throw error;
      }
    },

    async remove(keys) {
      for (const key of keys) {
        await Deno.remove(`${root}/${key}`).catch((error) => {
          if (!(error instanceof Deno.errors.NotFound)) throw error;
        });
      }
    },
  };
}

async function part(
  file: Deno.FsFile,
  { from, to }: ByteRange,
): Promise<ReadableStream<Uint8Array>> {
  await file.seek(from, Deno.SeekMode.Start);
  let left = to - from + 1;
  return file.readable.pipeThrough(
    new TransformStream<Uint8Array, Uint8Array>({
      transform(chunk, controller) {
        controller.enqueue(chunk.subarray(0, left));
        left -= chunk.length;
        if (left <= 0) controller.terminate();
      },
    }),
  );
}

/** So that the new name outlives a crash, too. Not every system can. */
async function syncFolder(path: string): Promise<void> {
  try {
    using folder = await Deno.open(path, { read: true });
    await folder.sync();
  } catch {
    // The file itself is on the disk.
  }
}

function isFull(error: unknown): boolean {
  const code = (error as { code?: unknown } | null)?.code;
  return code === "ENOSPC" || code === "EDQUOT";
}

function full(cause?: unknown): ParleyError {
  return new ParleyError("unavailable", "Cannot store the file: the disk is full", {
    retryAfter: RETRY_MS,
    cause,
  });
}
