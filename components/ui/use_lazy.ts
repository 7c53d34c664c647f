import type { ComponentType } from "preact";
import { useEffect, useState } from "preact/hooks";

/**
 * A component that is loaded when it is wanted for the first time; null until then.
 *
 * @param onError called when it cannot be loaded, such as without a connection
 */
export function useLazy<P>(
  load: () => Promise<{ default: ComponentType<P> }>,
  wanted: boolean,
  onError: (error: unknown) => void,
): ComponentType<P> | null {
  const [loaded, setLoaded] = useState<ComponentType<P> | null>(null);
  useEffect(() => {
    if (!wanted || loaded !== null) return;
    load().then((module) => setLoaded(() => module.default), onError);
  }, [wanted]);
  return loaded;
}
