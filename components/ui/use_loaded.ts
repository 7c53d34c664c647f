import { useEffect, useState } from "preact/hooks";

/** A module that is loaded as soon as it is needed; null until then. */
export function useLoaded<T>(needed: boolean, load: () => Promise<T>): T | null {
  const [loaded, setLoaded] = useState<T | null>(null);
  useEffect(() => {
    let ended = false;
    // Without a connection it is loaded when it is needed the next time.
    if (needed && loaded === null) load().then((it) => !ended && setLoaded(it), () => {});
    return () => void (ended = true);
  }, [needed]);
  return loaded;
}
