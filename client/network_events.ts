export function hasNetwork(): boolean {
  return typeof navigator === "undefined" || navigator.onLine !== false;
}

/**
 * Listens to the device's network and page events, until the returned function is called.
 * `offline`: the network is gone. `resume`: the network is back, or the page is visible again;
 * after a sleep the connection may be dead without an event. Outside browsers neither is called.
 */
export function listenToNetworkEvents(offline: () => void, resume: () => void): () => void {
  if (typeof addEventListener !== "function") return () => {};
  const ended = new AbortController();
  const { signal } = ended;
  addEventListener("offline", offline, { signal });
  addEventListener("online", resume, { signal });
  addEventListener("pageshow", resume, { signal });
  if (typeof document !== "undefined") {
    document.addEventListener("visibilitychange", () => {
      if (document.visibilityState === "visible") resume();
    }, { signal });
  }
  return () => ended.abort();
}
