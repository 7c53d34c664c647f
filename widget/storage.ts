/** Sessions are stored in localStorage; where that is blocked, in memory. */

function memory(): Storage {
  const values = new Map<string, string>();
  return {
    get length() {
      return values.size;
    },
    key: (index) => [...values.keys()][index] ?? null,
    getItem: (key) => values.get(key) ?? null,
    setItem: (key, value) => void values.set(key, value),
    removeItem: (key) => void values.delete(key),
    clear: () => values.clear(),
  };
}

/** The browser's storage of that name if it is writable, else one in memory. */
export function openStorage(name: "localStorage" | "sessionStorage"): Storage {
  try {
    const storage = globalThis[name];
    const probe = "parley:probe";
    storage.setItem(probe, probe);
    storage.removeItem(probe);
    return storage;
  } catch {
    return memory();
  }
}

/** The prefix of all keys of one widget. */
export function storagePrefix(widgetKey: string): string {
  return `parley:${widgetKey}`;
}

/**
 * The keys of one widget. The keys of a widget whose key begins with this one are not among them.
 */
export function storedKeys(storage: Storage, widgetKey: string): string[] {
  const prefix = storagePrefix(widgetKey);
  const keys = Array.from({ length: storage.length }, (_, index) => storage.key(index) ?? "");
  return keys.filter((key) => key === prefix || key.startsWith(`${prefix}:`));
}
