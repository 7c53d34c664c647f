import type { RefObject } from "preact";
import { useEffect } from "preact/hooks";

/** Calls back when the pointer or the focus goes elsewhere while `open`. */
export function useOutside(root: RefObject<HTMLElement>, open: boolean, onLeave: () => void) {
  useEffect(() => {
    if (!open) return;
    const isOutside = ({ target }: Event) => !root.current?.contains(target as Node);
    const pressed = (event: Event) => {
      if (isOutside(event)) onLeave();
    };
    // A pane that takes the focus when it appears still contains this element.
    const focused = (event: Event) => {
      if (isOutside(event) && !(event.target as Node).contains(root.current)) onLeave();
    };
    document.addEventListener("pointerdown", pressed);
    document.addEventListener("focusin", focused);
    return () => {
      document.removeEventListener("pointerdown", pressed);
      document.removeEventListener("focusin", focused);
    };
  }, [open]);
}
