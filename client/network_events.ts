export function hasNetwork(): boolean {
  return typeof navigator === "undefined" || navigator.onLine !== false;
}

/**
 * Listens to what the device tells of itself, until the returned function is called: `offline` when
 * the network is gone, `wake` when it is back and when the page is looked at again, for after a
 * sleep the connection may be dead without knowing. Outside browsers nothing is ever called.
 */
export function listenToNetwork(offline: () => void, wake: () => void): () => void {
  if (typeof addEventListener !== "function") return () => {};
  const ended = new AbortController();
  const { signal } = ended;
  addEventListener("offline", offline, { signal });
  addEventListener("online", wake, { signal });
  addEventListener("pageshow", wake, { signal });
  if (typeof document !== "undefined") {
    document.addEventListener("visibilitychange", () => {
      if (document.visibilityState === "visible") wake();
    }, { signal });
  }
  return () => ended.abort();
}
