import type { ClientStorage, PendingMessage } from "./types.ts";

/** A waiting message with the fields that only the outbox needs. */
export interface OutboxEntry extends PendingMessage {
  /** Sorts the entries of all tabs: milliseconds since 1970, unique within a tab. */
  order: number;
  /** The agent who wrote it. It is never sent as somebody else on this device. */
  owner?: string;
}

/**
 * Every entry has its own key, so that two tabs with the same storage never overwrite each other's.
 * A new tab lists the keys to find older entries. For a storage without `key` and `length` the ids
 * are listed under the prefix itself.
 *
 * The storage may be full or forbidden at any time: then entries are kept in memory only.
 */
export function createOutboxStorage(storage: ClientStorage | undefined, storageKey: string) {
  const prefix = `${storageKey}:outbox:`;
  const listed = storage !== undefined && storage.key === undefined;

  function attempt<T>(work: (storage: ClientStorage) => T, otherwise: T): T {
    if (storage === undefined) return otherwise;
    try {
      return work(storage);
    } catch {
      return otherwise;
    }
  }
  function keys(): string[] {
    return attempt((from) => {
      if (listed) return JSON.parse(from.getItem(prefix) ?? "[]") as string[];
      const all = Array.from({ length: from.length ?? 0 }, (_, index) => from.key?.(index) ?? "");
      return all.filter((key) => key.startsWith(prefix));
    }, []);
  }
  function list(change: (keys: string[]) => string[]) {
    if (listed) attempt((to) => to.setItem(prefix, JSON.stringify(change(keys()))), undefined);
  }

  return {
    load(): OutboxEntry[] {
      const entries = keys().flatMap((key) =>
        attempt((from): OutboxEntry[] => {
          const entry = JSON.parse(from.getItem(key) ?? "null");
          const valid = typeof entry?.clientMessageId === "string" &&
            typeof entry.content === "string";
          return valid ? [entry] : [];
        }, [])
      );
      return entries.sort((a, b) => a.order - b.order);
    },
    save(entry: OutboxEntry) {
      const key = prefix + entry.clientMessageId;
      attempt((to) => to.setItem(key, JSON.stringify(entry)), undefined);
      list((all) => all.includes(key) ? all : [...all, key]);
    },
    remove(id: string) {
      const key = prefix + id;
      attempt((from) => from.removeItem(key), undefined);
      list((all) => all.filter((one) => one !== key));
    },
  };
}
