import type { Db } from "../../db/database.ts";
import type { DocumentCache } from "./cache.ts";
import { append, copyOf, emptyDocument, type TextDocument } from "./document.ts";
import { loadDocuments, loadEdits } from "./storage.ts";

/** Reads the current state of a document, with as much of it from the cache as possible. */
export async function readCurrent(
  db: Db,
  cache: DocumentCache,
  id: string,
): Promise<TextDocument> {
  const cached = cache.get(id);
  if (cached === undefined) {
    const loaded = (await loadDocuments(db, [id])).get(id);
    if (loaded === undefined) return emptyDocument();
    const { snapshotVersion, ...document } = loaded;
    const meanwhile = cache.get(id)?.document;
    if (meanwhile !== undefined && meanwhile.version >= document.version) return meanwhile;
    cache.set(id, { document, snapshotVersion });
    return document;
  }
  const newer = await loadEdits(db, id, cached.document.version, Number.MAX_SAFE_INTEGER);
  const latest = cache.get(id) ?? cached;
  if (newer.length === 0) return latest.document;
  if (newer[0]!.version !== cached.document.version + 1) {
    cache.delete(id);
    return await readCurrent(db, cache, id);
  }
  if (latest.document.version >= newer.at(-1)!.version) return latest.document;
  const document = copyOf(cached.document);
  for (const edit of newer) append(document, edit);
  cache.set(id, { document, snapshotVersion: cached.snapshotVersion });
  return document;
}
