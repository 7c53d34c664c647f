import { signal } from "@preact/signals";

/** How long a tab may be in the background until nobody looks at it, in milliseconds. */
const AWAY_MS = 60_000;

/** Whether somebody looks at this page: a tab that is forgotten in the background is not looked at. */
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
