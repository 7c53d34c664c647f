import type { TextDocument } from "./document.ts";

export interface CachedDocument {
  document: TextDocument;
  snapshotVersion: number;
}

export interface DocumentCache {
  get(id: string): CachedDocument | undefined;
  set(id: string, cached: CachedDocument): void;
  delete(id: string): void;
  readonly size: number;
  clear(): void;
}

/**
 * Edits in memory: two seconds of fifty people. A client that is further behind costs a transaction
 * that reads older edits.
 */
const RECENT = 500;
/** Of all documents together, in code points; each edit counts as EDIT_SIZE. */
const MAX_SIZE = 64 * 1024 * 1024;
const EDIT_SIZE = 256;
const MAX_DOCUMENTS = 10_000;

const sizeOf = ({ text, recent }: TextDocument) => text.length + EDIT_SIZE * recent.length;

/**
 * Documents that were used recently. Loading one takes one query, so a document that is open in many
 * browsers and that nobody edits takes no memory.
 */
export function createDocumentCache(
  { idleMs = 10_000, now = () => performance.now() }: { idleMs?: number; now?: () => number } = {},
): DocumentCache {
  /** The least recently used one comes first. */
  const entries = new Map<string, CachedDocument & { at: number }>();
  let size = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;

  function remove(id: string): void {
    const entry = entries.get(id);
    if (entry === undefined) return;
    size -= sizeOf(entry.document);
    entries.delete(id);
  }

  function sweep(): void {
    timer = undefined;
    const limit = now() - idleMs;
    for (const [id, { at }] of entries) {
      if (at > limit) break;
      remove(id);
    }
    if (entries.size > 0) timer = setTimeout(sweep, idleMs);
  }

  function put(id: string, { document, snapshotVersion }: CachedDocument): void {
    remove(id);
    entries.set(id, { document, snapshotVersion, at: now() });
    size += sizeOf(document);
  }

  return {
    get(id) {
      const entry = entries.get(id);
      if (entry !== undefined) put(id, entry);
      return entry;
    },
    set(id, { document, snapshotVersion }) {
      const kept = document.recent.length > RECENT
        ? { ...document, recent: document.recent.slice(-RECENT) }
        : document;
      put(id, { document: kept, snapshotVersion });
      for (const oldest of entries.keys()) {
        if (size <= MAX_SIZE && entries.size <= MAX_DOCUMENTS) break;
        remove(oldest);
      }
      timer ??= setTimeout(sweep, idleMs);
    },
    delete: remove,
    get size() {
      return entries.size;
    },
    clear() {
      clearTimeout(timer);
      timer = undefined;
      entries.clear();
      size = 0;
    },
  };
}
