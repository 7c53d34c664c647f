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
  await Deno.mkdir(path, { recursive: true, mode: 0o700 });
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
        "be changed (make a folder below it that belongs to this process, and name that one)",
      { cause },
    );
  }
}

/**
 * Makes the folder where it is missing and locks it. The lock belongs to the process: it ends with
 * it, also after SIGKILL.
 *
 * @throws {DataDirError} when another process holds the folder, or others can get in.
 */
export async function holdDataDir(path: string): Promise<DataDir> {
  await makeDataDir(path);
  const file = await Deno.open(`${path}/lock`, { create: true, read: true, write: true });
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
