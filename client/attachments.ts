/** Files on their way into a message: uploaded a few at a time, each with its state, until sent. */
import type { MessageFile } from "../protocol/model.ts";
import type { ParleyClientError } from "./errors.ts";
import { type FileServer, uploadFile } from "./files.ts";
import { newId } from "./outbox.ts";

export interface Attachment {
  key: string;
  name: string;
  /** Bytes. */
  size: number;
  state: "uploading" | "ready" | "failed";
  /** From 0 to 1. */
  progress: number;
  /** Why it failed, as a sentence. */
  error?: string;
  /** Whether the same file may be taken at another try. */
  canRetry?: boolean;
  /** Where the state is `ready`. */
  file?: MessageFile;
}

export interface AttachmentsOptions {
  server: FileServer;
  maxBytes: number;
  maxFiles: number;
  /** Called after every change of `list()`. */
  changed: () => void;
}

/** Uploads at a time. */
const AT_ONCE = 3;

export type Attachments = ReturnType<typeof createAttachments>;

export function createAttachments({ server, maxBytes, maxFiles, changed }: AttachmentsOptions) {
  let entries: Attachment[] = [];
  const sources = new Map<string, { blob: Blob; durationMs?: number; abort: AbortController }>();
  const queue: string[] = [];
  let running = 0;

  function update(key: string, change: Partial<Attachment>) {
    entries = entries.map((one) => one.key === key ? { ...one, ...change } : one);
    changed();
  }

  function run() {
    while (running < AT_ONCE) {
      const key = queue.shift();
      if (key === undefined) return;
      running++;
      void upload(key).finally(() => {
        running--;
        run();
      });
    }
  }

  async function upload(key: string) {
    const source = sources.get(key);
    const entry = entries.find((one) => one.key === key);
    if (source === undefined || entry === undefined) return;
    try {
      const file = await uploadFile(server, source.blob, {
        name: entry.name,
        uploadId: key,
        ...(source.durationMs === undefined ? {} : { durationMs: source.durationMs }),
        signal: source.abort.signal,
        onProgress: (progress) => update(key, { progress }),
      });
      update(key, { state: "ready", progress: 1, file });
    } catch (error) {
      if (source.abort.signal.aborted) return;
      update(key, { state: "failed", ...reasonOf(error as ParleyClientError, maxBytes) });
    }
  }

  return {
    list: (): readonly Attachment[] => entries,

    /** @returns how many were too many for one message */
    add(files: Iterable<File>, durationMs?: number): number {
      let rest = 0;
      for (const blob of files) {
        if (entries.length >= maxFiles) {
          rest++;
          continue;
        }
        const key = newId();
        const entry: Attachment = {
          key,
          name: blob.name,
          size: blob.size,
          state: "uploading",
          progress: 0,
        };
        const wrong = blob.size === 0
          ? "This file is empty."
          : blob.size > maxBytes
          ? tooLarge(maxBytes)
          : null;
        if (wrong !== null) {
          entries = [...entries, { ...entry, state: "failed", error: wrong }];
          continue;
        }
        sources.set(key, {
          blob,
          ...(durationMs === undefined ? {} : { durationMs }),
          abort: new AbortController(),
        });
        entries = [...entries, entry];
        queue.push(key);
      }
      changed();
      run();
      return rest;
    },

    /** Also cancels its upload. */
    remove(key: string) {
      sources.get(key)?.abort.abort();
      sources.delete(key);
      entries = entries.filter((one) => one.key !== key);
      changed();
    },

    retry(key: string) {
      update(key, { state: "uploading", progress: 0 });
      queue.push(key);
      run();
    },

    /** Files of a message that was not sent after all. */
    putBack(files: readonly MessageFile[]) {
      entries = [
        ...files.map((file): Attachment => ({
          key: newId(),
          name: file.name,
          size: file.size,
          state: "ready",
          progress: 1,
          file,
        })),
        ...entries,
      ];
      changed();
    },

    /** Those that are uploaded, which a message gets now. Failed ones stay. */
    take(): MessageFile[] {
      const ready = entries.filter(({ state }) => state === "ready");
      for (const { key } of ready) sources.delete(key);
      entries = entries.filter(({ state }) => state !== "ready");
      changed();
      return ready.map(({ file }) => file!);
    },
  };
}

function reasonOf({ code, message }: ParleyClientError, maxBytes: number) {
  switch (code) {
    case "too_large":
      return {
        error: message.includes("pixels")
          ? "This picture has too many pixels."
          : tooLarge(maxBytes),
      };
    case "unsupported_type":
      return { error: "Files of this type cannot be sent here." };
    case "file_refused":
      return { error: message.replace(/^Cannot take the file: t/, "T") + "." };
    case "invalid":
      return { error: "This file is damaged." };
    case "disconnected":
      return { error: "There is no connection.", canRetry: true };
    case "rate_limited":
      return { error: "Too many files in a short time. Try again later.", canRetry: true };
    default:
      return { error: "The server could not take this file.", canRetry: true };
  }
}

const tooLarge = (maxBytes: number) => `This file is larger than ${sizeWords(maxBytes)}.`;

/** Bytes for people, such as "1.4 MB". */
export function sizeWords(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`;
  const [size, unit] = bytes < 999_500 ? [bytes / 1024, "KB"] : [bytes / 1024 ** 2, "MB"];
  return `${size < 10 ? Number(size.toFixed(1)) : Math.round(size)} ${unit}`;
}
