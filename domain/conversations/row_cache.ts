import type { VersionedRow } from "./unit_of_work.ts";

/**
 * Rows of conversations as the writer last stored or read them, so that it need not read them again
 * before the next change. Somebody else may have changed a row since, so the transaction that uses
 * it compares its version.
 */
export interface RowCache {
  get(id: string): VersionedRow | undefined;
  /** Evicts the row that was set longest ago when the cache is full. */
  set(id: string, row: VersionedRow): void;
  delete(id: string): void;
}

export function createRowCache(max: number): RowCache {
  const byId = new Map<string, VersionedRow>();
  return {
    get: (id) => byId.get(id),
    set(id, row) {
      byId.delete(id);
      byId.set(id, row);
      if (byId.size > max) byId.delete(byId.keys().next().value!);
    },
    delete: (id) => void byId.delete(id),
  };
}
