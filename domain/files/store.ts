/** Where the bytes of files are: on the disk (disk_store.ts) or in an S3-compatible store (s3_store.ts). */
export interface FileStore {
  /**
   * Stores all of it or nothing, and resolves when it will outlive a crash.
   *
   * @throws {ParleyError} `unavailable` when the store is away or full; whatever `chunks` throws.
   */
  put(key: string, chunks: AsyncIterable<Uint8Array>): Promise<void>;
  /** null: there is none. Positions of bytes, both included. */
  get(key: string, range?: ByteRange): Promise<ReadableStream<Uint8Array> | null>;
  /** Removes what is there of these. */
  remove(keys: readonly string[]): Promise<void>;
}

export interface ByteRange {
  from: number;
  to: number;
}

/** A new key, which cannot be guessed: "ab/cdef…". Stores on a disk use the first part as a folder. */
export function newStorageKey(): string {
  const name = crypto.getRandomValues(new Uint8Array(16)).toHex();
  return `${name.slice(0, 2)}/${name.slice(2)}`;
}
