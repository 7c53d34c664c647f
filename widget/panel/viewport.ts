/**
 * On a phone the panel fills the space above the keyboard, and the page behind does not scroll.
 * Uses the style object, which a strict policy allows.
 */
export function fitViewport(element: HTMLElement): () => void {
  const viewport = globalThis.visualViewport;
  const page = document.documentElement;
  const overflow = page.style.overflow;
  const ended = new AbortController();
  function fit() {
    if (!viewport) return;
    element.style.height = `${viewport.height}px`;
    element.style.top = `${viewport.offsetTop}px`;
  }
  page.style.overflow = "hidden";
  for (const type of ["resize", "scroll"]) {
    viewport?.addEventListener(type, fit, { signal: ended.signal });
  }
  fit();
  return () => {
    ended.abort();
    page.style.overflow = overflow;
    element.style.height = element.style.top = "";
  };
}
