import { signal } from "@preact/signals";

/** Milliseconds after which a tab in the background counts as left. */
const AWAY_MS = 60_000;

/**
 * Whether somebody looks at this page. A tab that has long been in the background does not count.
 */
export function createAttention() {
  const isHere = signal(true);
  let timer: ReturnType<typeof setTimeout> | undefined;

  function look() {
    clearTimeout(timer);
    if (document.visibilityState === "visible") isHere.value = true;
    else timer = setTimeout(() => isHere.value = false, AWAY_MS);
  }

  return {
    isHere,
    begin(): () => void {
      document.addEventListener("visibilitychange", look);
      look();
      return () => {
        clearTimeout(timer);
        document.removeEventListener("visibilitychange", look);
      };
    },
  };
}
