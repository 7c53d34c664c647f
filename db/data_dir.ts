/** The folder of the embedded database and of generated secrets, held by one process at a time. */
export class DataDirError extends Error {
  override name = "DataDirError";
}

export interface DataDir {
  path: string;
  release(): void;
}

/**
 * Makes the folder where it is missing and locks it. The lock belongs to the process: it ends with
 * it, also after SIGKILL.
 *
 * @throws {DataDirError} when another process holds the folder.
 */
export async function holdDataDir(path: string): Promise<DataDir> {
  await Deno.mkdir(path, { recursive: true, mode: 0o700 });
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
