import { freeBytesOf, inMegabytes } from "./disk_guard.ts";

/** The folder of the embedded database and of generated secrets, held by one process at a time. */
export class DataDirError extends Error {
  override name = "DataDirError";
}

export interface DataDir {
  path: string;
  release(): void;
}

/** The bits of a mode that let anybody but the owner in. */
const NOT_OWNER = 0o077;

/**
 * Makes the folder where it is missing, and closes it to every account but the process's own. What
 * the process writes from then on is closed, too; the embedded database would make its files
 * writable for everybody.
 *
 * @throws {DataDirError} when others can get in and it cannot be changed.
 */
export async function makeDataDir(path: string): Promise<void> {
  try {
    await Deno.mkdir(path, { recursive: true, mode: 0o700 });
  } catch (cause) {
    throw new DataDirError(
      `Cannot use DATA_DIR "${path}": it is not there and cannot be made: ${reasonOf(cause)} ` +
        "(make it, or name another one)",
      { cause },
    );
  }
  if (Deno.build.os === "windows") return;
  try {
    Deno.umask(NOT_OWNER);
  } catch {
    // Started without the right to; the folder itself keeps others out.
  }
  const { mode } = await Deno.stat(path);
  if (mode === null || (mode & NOT_OWNER) === 0) return;
  try {
    await Deno.chmod(path, 0o700);
  } catch (cause) {
    const shown = (mode & 0o777).toString(8).padStart(3, "0");
    throw new DataDirError(
      `Cannot use DATA_DIR "${path}": other accounts can get in (mode ${shown}), and that cannot ` +
        `be changed: ${
          reasonOf(cause)
        } (make a folder below it that belongs to this process, and ` +
        "name that one)",
      { cause },
    );
  }
}

async function openLock(path: string): Promise<Deno.FsFile> {
  try {
    return await Deno.open(`${path}/lock`, { create: true, read: true, write: true });
  } catch (cause) {
    throw new DataDirError(
      `Cannot use DATA_DIR "${path}": it cannot be written: ${reasonOf(cause)} ` +
        "(give this user the right to, or name another folder)",
      { cause },
    );
  }
}

/** What the system said, without the runtime's own words around it. */
function reasonOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.replace(/ \(os error \d+\).*$/s, "").replace(/^.*?: (?=[A-Z])/s, "");
}

/**
 * Makes the folder where it is missing and locks it. The lock belongs to the process: it ends with
 * it, also after SIGKILL.
 *
 * @throws {DataDirError} when another process holds the folder, or others can get in.
 */
export async function holdDataDir(path: string): Promise<DataDir> {
  await makeDataDir(path);
  const file = await openLock(path);
  if (!await file.tryLock(true)) {
    file.close();
    throw new DataDirError(
      `Cannot open the embedded database: "${path}" is in use by another process ` +
        "(stop it, choose another DATA_DIR, or set DATABASE_URL to a Postgres server)",
    );
  }
  return {
    path,
    release() {
      try {
        file.unlockSync();
        file.close();
      } catch {
        // Already released.
      }
    },
  };
}

/** Files without which the embedded database is not whole. */
const NEEDED = ["PG_VERSION", "global/pg_control", "base", "pg_wal", "pg_xact"];
/** The major version of Postgres that the engine is. */
const VERSION = "18";
/** What a new database takes, and what opening one may take before anything can be refused. */
const NEW_BYTES = 64_000_000;
const OPEN_BYTES = 4_000_000;

/** Says that a folder is being filled for the first time: what it holds is nobody's yet. */
const markOf = (path: string) => `${path}.new`;

/**
 * Looks at the folder of the embedded database before the engine does, which would make a new one
 * over what is there, or end without a reason.
 *
 * @param minFreeBytes 0: the disk is not looked at
 * @returns whether there is none yet.
 * @throws {DataDirError} which names the folder, what is wrong with it, and the way out.
 */
export async function checkData(path: string, minFreeBytes: number): Promise<boolean> {
  const isNew = await isEmpty(path);
  if (!isNew && await exists(markOf(path))) {
    // Most likely there was never anything in it; what it is nobody but the operator can know.
    throw new DataDirError(
      `Cannot open the embedded database: a start ended while it made "${path}" (remove the folder ` +
        `and "${markOf(path)}"; if it was restored from a backup since, remove only the latter)`,
    );
  }
  if (!isNew) await checkWhole(path);
  checkSpace(path, minFreeBytes, isNew);
  return isNew;
}

async function exists(path: string): Promise<boolean> {
  try {
    await Deno.stat(path);
    return true;
  } catch (error) {
    unlessMissing(error);
    return false;
  }
}

function unlessMissing(error: unknown): void {
  if (!(error instanceof Deno.errors.NotFound)) throw error;
}

async function isEmpty(path: string): Promise<boolean> {
  try {
    for await (const _ of Deno.readDir(path)) return false;
    return true;
  } catch (cause) {
    if (cause instanceof Deno.errors.NotFound) return true;
    throw new DataDirError(
      `Cannot open the embedded database: "${path}" cannot be read: ${reasonOf(cause)}`,
      { cause },
    );
  }
}

/** @throws {DataDirError} */
async function checkWhole(path: string): Promise<void> {
  for (const name of NEEDED) {
    if (await exists(`${path}/${name}`)) continue;
    throw new DataDirError(
      `Cannot open the embedded database: "${path}" has files but no "${name}", so it is not ` +
        "whole (restore it from a backup, or move it away to begin with an empty one)",
    );
  }
  const version = (await Deno.readTextFile(`${path}/PG_VERSION`)).trim();
  if (version !== VERSION) {
    throw new DataDirError(
      `Cannot open the embedded database: "${path}" is of Postgres "${version}", and this ` +
        `Parley's is ${VERSION} (start the version of Parley that made it)`,
    );
  }
}

/** @throws {DataDirError} */
function checkSpace(path: string, minFreeBytes: number, isNew: boolean): void {
  if (minFreeBytes === 0) return;
  const needed = isNew ? Math.max(NEW_BYTES, minFreeBytes) : OPEN_BYTES;
  let free: number;
  try {
    free = freeBytesOf(isNew ? path.slice(0, path.lastIndexOf("/")) : path);
  } catch {
    // The guard says so.
    return;
  }
  if (free >= needed) return;
  throw new DataDirError(
    `Cannot open the embedded database: the disk of "${path}" has ${inMegabytes(free)} free, and ` +
      `${isNew ? "making one" : "opening it"} takes ${inMegabytes(needed)} (make space, ` +
      `${isNew ? "lower MIN_FREE_DISK_BYTES, " : ""}or move DATA_DIR to another disk)`,
  );
}

/** Marks the folder as being made. @returns what to call when it is whole. */
export async function beginData(path: string): Promise<() => Promise<void>> {
  await Deno.writeTextFile(markOf(path), "");
  return () => Deno.remove(markOf(path));
}
