/** What people and programs do with files: the interface that HTTP calls. */
import type { FileAddress } from "../../protocol/files.ts";
import type { MessageFile } from "../../protocol/model.ts";
import type { Caller } from "../principal.ts";
import type { ByteRange } from "./store.ts";

export interface Upload {
  name: string;
  /** The client's own id: the same again is the same upload again. */
  uploadId: string;
  /** What the sender calls it, such as "audio/webm". */
  declaredType?: string | undefined;
  /** Bytes, where the sender says it. */
  declaredSize?: number | undefined;
  durationMs?: number | undefined;
  /** May be larger than allowed, and may end with an error. */
  body: ReadableStream<Uint8Array> | null;
}

/** A file that may be given to whoever has its address. */
export interface OpenFile {
  id: string;
  name: string;
  mediaType: string;
  size: number;
  /** Milliseconds since the epoch. */
  expiresAt: number;
  read(range?: ByteRange): Promise<ReadableStream<Uint8Array> | null>;
}

export interface FileService {
  /** Bytes of the largest file; 0: there is no store. */
  readonly maxBytes: number;
  /**
   * @throws {ParleyError} `too_large`, `unsupported_type`, `file_refused`, `rate_limited`, `overloaded`,
   * `request_timeout`, `unavailable`, `conflict`; `forbidden` without a store.
   */
  upload(caller: Caller, upload: Upload): Promise<{ file: MessageFile; duplicate: boolean }>;
  /** Of those that the caller may see, in the order of the ids. */
  addresses(caller: Caller, ids: readonly string[]): Promise<FileAddress[]>;
  /** @throws {ParleyError} `forbidden` for an address that is not signed or is over, `not_found`. */
  open(id: string, query: { expires: string; signature: string }): Promise<OpenFile>;
  /** The bytes under a key of the store; null: there are none. The caller checks rights. */
  content(storageKey: string): Promise<ReadableStream<Uint8Array> | null>;
  /** Removes soon what was deleted, instead of at the next turn. */
  wake(): void;
  /** Resolves when nothing runs any more. */
  stop(): Promise<void>;
}
