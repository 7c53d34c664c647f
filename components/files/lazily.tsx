import type { ComponentChildren, FunctionComponent } from "preact";
import { useEffect, useState } from "preact/hooks";

/** A component that is loaded when it is first shown. Meanwhile, and offline, its children show. */
export function lazily<P extends object>(
  load: () => Promise<FunctionComponent<P>>,
): FunctionComponent<P & { children?: ComponentChildren }> {
  let loaded: FunctionComponent<P> | null = null;
  return function Lazy({ children, ...props }) {
    const [Loaded, setLoaded] = useState(() => loaded);
    useEffect(() => {
      if (Loaded !== null) return;
      let isShown = true;
      load().then((component) => {
        loaded = component;
        if (isShown) setLoaded(() => component);
      }, () => {
        // Without a connection; it is tried again when it is shown again.
      });
      return () => void (isShown = false);
    }, []);
    return Loaded === null ? <>{children}</> : <Loaded {...props as unknown as P} />;
  };
}
