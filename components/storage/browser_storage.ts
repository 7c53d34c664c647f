/** `localStorage`, or memory where the browser forbids it. */
export function browserStorage(): Pick<Storage, "getItem" | "setItem" | "removeItem"> {
  try {
    // Reading the property throws where storage is forbidden.
    return globalThis.localStorage;
  } catch {
    return memory;
  }
}

/** `sessionStorage`, or memory where the browser forbids it. */
export function tabStorage(): Pick<Storage, "getItem" | "setItem" | "removeItem"> {
  try {
    return globalThis.sessionStorage;
  } catch {
    return memory;
  }
}

const kept = new Map<string, string>();
const memory = {
  getItem: (key: string) => kept.get(key) ?? null,
  setItem: (key: string, value: string) => void kept.set(key, value),
  removeItem: (key: string) => void kept.delete(key),
};
