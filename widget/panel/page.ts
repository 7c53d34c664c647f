import type { Page } from "../../protocol/model.ts";

/** Milliseconds between a navigation and its report: routers set the title after the address. */
const SETTLE_MS = 600;

/** The page that the visitor sees, in the form of the protocol. */
export function currentPage(): Page {
  // The server refuses control characters and halves of characters.
  const title = document.title.slice(0, 300).replace(/\p{Cc}+/gu, " ").toWellFormed();
  const { referrer } = document;
  return {
    url: location.href.slice(0, 2048),
    ...(title === "" ? {} : { title }),
    ...(referrer && !referrer.startsWith(location.origin) ? { referrer } : {}),
  };
}

interface NavigationLike extends EventTarget {
  currentEntry: unknown;
}

/** Calls `changed` after each navigation within the page; returns a function that ends it. */
export function watchPage(changed: () => void): () => void {
  const ended = new AbortController();
  let last = location.href;
  let timer: ReturnType<typeof setTimeout> | undefined;
  function look() {
    if (location.href === last) return;
    last = location.href;
    clearTimeout(timer);
    timer = setTimeout(changed, SETTLE_MS);
  }
  const { signal } = ended;
  const navigation = (globalThis as { navigation?: NavigationLike }).navigation;
  if (navigation) {
    navigation.addEventListener("currententrychange", look, { signal });
  } else {
    // The site's history functions must not be replaced, so the address is polled, too.
    addEventListener("popstate", look, { signal });
    addEventListener("hashchange", look, { signal });
    const interval = setInterval(look, 1_000);
    signal.addEventListener("abort", () => clearInterval(interval));
  }
  return () => {
    clearTimeout(timer);
    ended.abort();
  };
}
