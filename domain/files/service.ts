/** Files: taken from those who write, and given to those who may read their messages. */
import type { Db } from "../../db/database.ts";
import { ParleyError } from "../../protocol/errors.ts";
import { maySee } from "../conversations/rights.ts";
import type { EventBus } from "../events.ts";
import { type Caller, needScope } from "../principal.ts";
import { createAddresses } from "./addresses.ts";
import { startCleanup } from "./cleanup.ts";
import { type FileWithConversation, findFiles, uploaderOf } from "./queries.ts";
import type { Scan } from "./scan.ts";
import type { FileStore } from "./store.ts";
import type { FileService } from "./types.ts";
import { createUploads, type UploadLimits } from "./uploads.ts";

export interface FilesOptions {
  db: Db;
  bus: EventBus;
  /** null: this server takes no files. */
  store: FileStore | null;
  scan: Scan | null;
  limits: UploadLimits;
  keepUnsentMs: number;
  /** Milliseconds. */
  addressLifeMs: number;
  /** The server's secret, the same on all nodes. */
  secret: string;
  onError: (error: unknown) => void;
}

export function createFiles(options: FilesOptions): FileService {
  const { db, bus, store, limits, keepUnsentMs, onError } = options;
  if (store === null) return NO_FILES;
  const addresses = createAddresses(options.secret, options.addressLifeMs);
  const cleanup = startCleanup({ db, store, keepUnsentMs, onError });
  const uploads = createUploads({
    db,
    store,
    scan: options.scan,
    limits,
    onDropped: cleanup.wake,
    onError,
  });
  const unsubscribe = bus.on("conversation.logged", ({ entries }) => {
    if (entries.some(({ forAgents }) => forAgents.type === "message_deleted")) cleanup.wake();
  });

  return {
    maxBytes: limits.maxBytes,
    upload: uploads.upload,

    async addresses(caller, ids) {
      needScope(caller, "conversations:read");
      const found = new Map((await findFiles(db, ids)).map((file) => [file.id, file]));
      return ids.flatMap((id) => {
        const file = found.get(id);
        return file === undefined || !mayRead(caller, file) ? [] : [addresses.sign(file)];
      });
    },

    async open(id, query) {
      const expiresAt = addresses.verify(id, query);
      const [file] = await findFiles(db, [id]);
      if (file === undefined) throw notFound(id);
      const { name, media_type: mediaType, size, storage_key: key } = file;
      const read: Awaited<ReturnType<FileService["open"]>>["read"] = (range) =>
        store.get(key, range);
      return { id, name, mediaType, size: Number(size), expiresAt, read };
    },

    content: (key) => store.get(key),
    wake: cleanup.wake,
    async stop() {
      unsubscribe();
      await uploads.idle();
      await cleanup.stop();
    },
  };
}

/** As its message; before it has one, whoever uploaded it. */
function mayRead(caller: Caller, file: FileWithConversation): boolean {
  const { conversation_id: id, contact_id, context_id, is_private } = file;
  if (id === null || contact_id === null) {
    const { kind, id: uploaderId } = uploaderOf(caller);
    return file.uploader_kind === kind && file.uploader_id === uploaderId;
  }
  if (is_private && caller.kind === "visitor") return false;
  return maySee(caller, { id, contact_id, context_id });
}

function notFound(id: string): ParleyError {
  return new ParleyError("not_found", `Cannot find the file "${id}"`);
}

const NO_FILES: FileService = {
  maxBytes: 0,
  upload() {
    throw new ParleyError("forbidden", "Cannot take the file: this server stores no files");
  },
  addresses: () => Promise.resolve([]),
  open(id) {
    throw notFound(id);
  },
  content: () => Promise.resolve(null),
  wake() {},
  stop: () => Promise.resolve(),
};
