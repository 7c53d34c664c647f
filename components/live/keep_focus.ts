/**
 * The focus is never lost: when the element that has it is removed, such as the button of a toast or
 * a row that leaves the list, it goes to the nearest part of the page that is still there. Whoever
 * moves the focus on purpose is faster. Returns a function that ends it.
 */
export function keepFocus(): () => void {
  let last: HTMLElement | null = null;
  /** What was around it, the nearest first, and what was beside it. */
  let around: HTMLElement[] = [];
  let beside: HTMLElement[] = [];

  function onFocusIn({ target }: FocusEvent) {
    last = target as HTMLElement;
    around = [];
    for (let at = last.parentElement; at !== null && at !== document.body; at = at.parentElement) {
      around.push(at);
    }
    const near = last.closest<HTMLElement>("li, [role=row], p, section, article")?.parentElement;
    const all = near ? [...near.querySelectorAll<HTMLElement>(FOCUSABLE)] : [];
    const index = all.indexOf(last);
    beside = index === -1
      ? []
      : [...all.slice(index + 1, index + 8), ...all.slice(0, index).slice(-8).reverse()];
  }

  function look() {
    const { activeElement } = document;
    if (last === null || last.isConnected || (activeElement && activeElement !== document.body)) {
      return;
    }
    // Another page is shown, and page_navigation.ts moves the focus into it.
    if (!around.some((one) => one.matches(".shell") && one.isConnected)) return void (last = null);
    const usable = (one: HTMLElement) => one.isConnected && one.checkVisibility();
    // The first of the whole page would be the link that skips to the content.
    const inside = around.filter((one) => usable(one) && !one.matches(".shell")).slice(0, 3)
      .flatMap((one) => [...one.querySelectorAll<HTMLElement>(FOCUSABLE)].slice(0, 1));
    const to = beside.find(usable) ?? inside.find(usable) ??
      document.querySelector<HTMLElement>("#thread, main");
    last = null;
    if (to === null) return;
    if (!to.matches(FOCUSABLE)) to.tabIndex = -1;
    to.focus({ preventScroll: true });
  }

  const observer = new MutationObserver(() => {
    // After whoever removed it has had the time to move the focus.
    if (last !== null && !last.isConnected) requestAnimationFrame(look);
  });
  document.addEventListener("focusin", onFocusIn);
  observer.observe(document.body, { childList: true, subtree: true });
  return () => {
    observer.disconnect();
    document.removeEventListener("focusin", onFocusIn);
  };
}

const FOCUSABLE =
  "a[href], button:not([disabled]), input:not([disabled]), textarea, select, [tabindex]:not([tabindex='-1'])";
