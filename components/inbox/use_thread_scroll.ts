import { useLayoutEffect, useRef, useState } from "preact/hooks";
import type { ThreadItem } from "../../client/mod.ts";

/** Pixels from the end within which the reader counts as being at the end. */
const NEAR_END = 60;
/** Pixels from the end from which on there is a way back to it. */
const FAR_FROM_END = 600;

/**
 * Keeps the scroll position of a thread. The box is laid out from its end (`column-reverse`), so
 * `scrollTop` is 0 at the newest message and negative above it: a page is at the end before any
 * script runs, and older messages in front move nothing. What remains is to keep the position when
 * new messages arrive below, and to count them.
 */
export function useThreadScroll(items: readonly ThreadItem[], selfId: string) {
  const ref = useRef<HTMLDivElement>(null);
  const seen = useRef({ height: 0, top: 0, last: "" });
  const [fresh, setFresh] = useState(0);
  const [isFar, setFar] = useState(false);
  const last = items.at(-1)?.key ?? "";

  const isAtEnd = (top: number) => -top < NEAR_END;

  useLayoutEffect(() => {
    const box = ref.current;
    if (box === null) return;
    const before = seen.current;
    const newest = items.at(-1);
    const own = newest?.pending != null || newest?.message?.sender.userId === selfId;
    if (before.last !== last && before.last !== "") {
      if (own || isAtEnd(before.top)) box.scrollTop = 0;
      else {
        // The new lines moved everything up by their height.
        box.scrollTop = before.top - (box.scrollHeight - before.height);
        const known = items.findIndex((item) => item.key === before.last);
        const added = known === -1 ? 1 : items.length - 1 - known;
        setFresh((count) => count + added);
      }
    } else if (isAtEnd(before.top)) box.scrollTop = 0;
    before.last = last;
    remember();
  });

  function remember() {
    const box = ref.current;
    if (box === null) return;
    seen.current.height = box.scrollHeight;
    seen.current.top = box.scrollTop;
  }

  function onScroll() {
    remember();
    if (isAtEnd(seen.current.top)) setFresh(0);
    setFar(-seen.current.top > FAR_FROM_END);
  }

  function toEnd() {
    const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    ref.current?.scrollTo({ top: 0, behavior: calm ? "instant" : "smooth" });
    setFresh(0);
  }

  return { ref, onScroll, toEnd, fresh, isFar };
}
