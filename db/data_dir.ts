import { freeBytesOf, inMegabytes } from "./disk_guard.ts";

/** DATA_DIR cannot be used: the folder of the embedded database and of generated secrets. */
export class DataDirError extends Error {
  override name = "DataDirError";
}

export interface DataDir {
  path: string;
  release(): void;
}

/** The bits of a mode that give rights to others than the owner. */
const NOT_OWNER = 0o077;

/**
 * Creates the folder if necessary, and takes all rights from other accounts. The umask does the same
 * for new files; the embedded database would make them writable for everybody.
 *
 * @throws {DataDirError} when others have rights and that cannot be changed.
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
    // The process may not; the mode of the folder is enough.
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

/** The system's message, without what the runtime adds. */
function reasonOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.replace(/ \(os error \d+\).*$/s, "").replace(/^.*?: (?=[A-Z])/s, "");
}

/**
 * Creates the folder if necessary and locks it. The lock ends with the process, also by SIGKILL.
 *
 * @throws {DataDirError} when another process holds the lock, or others have rights.
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

/** Files that every database has. */
const NEEDED = ["PG_VERSION", "global/pg_control", "base", "pg_wal", "pg_xact"];
/** The engine's major version of Postgres. */
const VERSION = "18";
/** Space of a new database, and space that opening one may need before changes can be refused. */
const NEW_BYTES = 64_000_000;
const OPEN_BYTES = 4_000_000;

/** Marks a folder that is being initialized, and has no data yet. */
const markOf = (path: string) => `${path}.new`;

/**
 * Checks the folder of the embedded database before the engine opens it, because the engine would
 * overwrite what is there, or end without a message.
 *
 * @param minFreeBytes 0: free space is not checked
 * @returns whether the database has to be created.
 * @throws {DataDirError} which names the folder, the problem, and what to do.
 */
export async function checkData(path: string, minFreeBytes: number): Promise<boolean> {
  const isNew = await isEmpty(path);
  if (!isNew && await exists(markOf(path))) {
    // Most likely it never had data, but only the operator can know.
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
    // The disk guard logs it.
    return;
  }
  if (free >= needed) return;
  throw new DataDirError(
    `Cannot open the embedded database: the disk of "${path}" has ${inMegabytes(free)} free, and ` +
      `${isNew ? "making one" : "opening it"} takes ${inMegabytes(needed)} (make space, ` +
      `${isNew ? "lower MIN_FREE_DISK_BYTES, " : ""}or move DATA_DIR to another disk)`,
  );
}

/** Marks the folder as being initialized. @returns what removes the mark. */
export async function beginData(path: string): Promise<() => Promise<void>> {
  await Deno.writeTextFile(markOf(path), "");
  return () => Deno.remove(markOf(path));
}
