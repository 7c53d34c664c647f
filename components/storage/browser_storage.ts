type Kept = Pick<Storage, "getItem" | "setItem" | "removeItem" | "key" | "length">;

/** `localStorage`, or memory where the browser forbids it. */
export function browserStorage(): Kept {
  try {
    // Reading the property throws where storage is forbidden.
    return globalThis.localStorage;
  } catch {
    return memory;
  }
}

/** `sessionStorage`, or memory where the browser forbids it. */
export function tabStorage(): Kept {
  try {
    return globalThis.sessionStorage;
  } catch {
    return memory;
  }
}

const kept = new Map<string, string>();
const memory: Kept = {
  getItem: (key: string) => kept.get(key) ?? null,
  setItem: (key: string, value: string) => void kept.set(key, value),
  removeItem: (key: string) => void kept.delete(key),
  key: (index: number) => [...kept.keys()][index] ?? null,
  get length() {
    return kept.size;
  },
};
