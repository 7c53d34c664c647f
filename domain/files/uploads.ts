/** Takes uploads: bounded, once, all or nothing. */
import type { Db } from "../../db/database.ts";
import type { FileRow } from "../../db/types.ts";
import { ParleyError } from "../../protocol/errors.ts";
import type { MessageFile } from "../../protocol/model.ts";
import { type Caller, needScope, needUnblocked } from "../principal.ts";
import { KeyedLimiter } from "../rate_limit.ts";
import { type ContentLimits, readContents } from "./contents.ts";
import { cleanFileName } from "./file_name.ts";
import {
  beginUpload,
  dropUpload,
  finishUpload,
  noteRemoval,
  toMessageFile,
  uploadedSince,
  type Uploader,
  uploaderOf,
} from "./queries.ts";
import { drainBody, readBody, type ReadingLimits, tooLarge } from "./reading.ts";
import type { Scan } from "./scan.ts";
import { type FileStore, newStorageKey } from "./store.ts";
import type { Upload } from "./types.ts";

export interface UploadLimits extends ReadingLimits, ContentLimits {
  /** Uploads of one sender in a minute. */
  perMinute: number;
  /** Bytes of one sender in an hour. */
  bytesPerHour: number;
  /** Uploads at a time on this node. */
  open: number;
}

export interface UploadsOptions {
  db: Db;
  store: FileStore;
  scan: Scan | null;
  limits: UploadLimits;
  /** Bytes of an upload that failed wait to be removed. */
  onDropped: () => void;
  onError: (error: unknown) => void;
}

/** Uploads of one sender at a time. */
const OPEN_PER_SENDER = 10;
const HOUR_MS = 3_600_000;
const RETRY_MS = 2000;

export interface Uploads {
  upload(caller: Caller, upload: Upload): Promise<{ file: MessageFile; duplicate: boolean }>;
  /** Resolves when none is running. */
  idle(): Promise<void>;
}

export function createUploads(options: UploadsOptions): Uploads {
  const { db, store, scan, limits, onDropped, onError } = options;
  const rate = new KeyedLimiter(limits.perMinute);
  const open = new Map<string, number>();
  const running = new Set<Promise<unknown>>();

  function take(key: string): () => void {
    const wait = rate.take(key);
    if (wait > 0) throw tooMany("too many files in a minute", "LIMIT_UPLOADS_PER_MINUTE", wait);
    const mine = open.get(key) ?? 0;
    if (mine >= OPEN_PER_SENDER) {
      throw tooMany(`${mine} of yours are being uploaded already`, undefined, RETRY_MS);
    }
    if (running.size >= limits.open) {
      throw new ParleyError("overloaded", "Cannot take the file: too many are being uploaded", {
        retryAfter: RETRY_MS,
        limit: "MAX_OPEN_UPLOADS",
      });
    }
    open.set(key, mine + 1);
    return () => {
      const left = open.get(key)! - 1;
      if (left === 0) open.delete(key);
      else open.set(key, left);
    };
  }

  async function mustBeWithinBytes(uploader: Uploader, size: number): Promise<void> {
    const { bytes, firstAt } = await uploadedSince(db, uploader, HOUR_MS);
    if (bytes + size <= limits.bytesPerHour) return;
    const until = (firstAt?.getTime() ?? Date.now()) + HOUR_MS;
    const wait = Math.max(1000, until - Date.now());
    throw tooMany("too many bytes in an hour", "LIMIT_UPLOAD_BYTES_PER_HOUR", wait);
  }

  async function receive(row: FileRow, upload: Upload): Promise<FileRow> {
    const source = readBody(upload.body ?? new Blob([]).stream(), limits);
    try {
      const contents = await readContents(source, { ...upload, name: row.name }, limits);
      await store.put(row.storage_key, contents.bytes);
      const { mediaType, picture } = contents;
      if (scan !== null) {
        const bytes = await store.get(row.storage_key);
        if (bytes === null) throw new Error(`The file "${row.id}" is not in its store`);
        await scan({ name: row.name, mediaType }, bytes);
      }
      const stored = await finishUpload(db, row, {
        mediaType,
        size: contents.size(),
        width: picture?.width ?? null,
        height: picture?.height ?? null,
        durationMs: upload.durationMs ?? null,
      });
      if (stored !== null) return stored;
      throw new ParleyError("conflict", "Cannot take the file: it is being uploaded a second time");
    } finally {
      // Ends the body where it was not read to its end.
      await source.return(undefined);
    }
  }

  async function run(caller: Caller, upload: Upload) {
    const uploader = uploaderOf(caller);
    const release = take(`${uploader.kind} ${uploader.id}`);
    try {
      const { declaredSize = 0 } = upload;
      if (declaredSize > limits.maxBytes) throw tooLarge(limits.maxBytes);
      const row = await beginUpload(db, uploader, {
        uploadId: upload.uploadId,
        name: cleanFileName(upload.name),
        storageKey: newStorageKey(),
      });
      if (row.state === "stored") return { file: toMessageFile(row), duplicate: true };
      try {
        await mustBeWithinBytes(uploader, declaredSize);
        return { file: toMessageFile(await receive(row, upload)), duplicate: false };
      } catch (error) {
        await dropUpload(db, row).catch(onError);
        await noteRemoval(db, row.storage_key).catch(onError);
        onDropped();
        throw error;
      }
    } finally {
      release();
      if (upload.body?.locked === false) await drainBody(upload.body, limits.maxBytes);
    }
  }

  return {
    async upload(caller, upload) {
      needScope(caller, "messages:write");
      needUnblocked(caller);
      const one = run(caller, upload);
      running.add(one);
      try {
        return await one;
      } finally {
        running.delete(one);
      }
    },
    async idle() {
      await Promise.allSettled(running);
    },
  };
}

function tooMany(what: string, limit: string | undefined, retryAfter: number): ParleyError {
  return new ParleyError("rate_limited", `Cannot take the file: ${what}`, {
    retryAfter,
    ...(limit === undefined ? {} : { limit }),
  });
}
