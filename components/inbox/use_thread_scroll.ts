import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import type { ThreadItem } from "../../client/mod.ts";
import type { ThreadLine } from "./thread_rows.ts";
import { drawn, edges, lastAtLeast, type Range, rangeBetween } from "./thread_window.ts";

/** Pixels from the end within which the reader counts as being at the end. */
const NEAR_END = 60;
/** Pixels from the end from which on there is a way back to it. */
const FAR_FROM_END = 600;
/** Pixels around what is in view that are always drawn. */
const COVERED = 300;
/** The height of the box until it is known: the server draws that much. */
const FIRST_HEIGHT = 800;

/** What stays where it is while everything around it changes: a line, and its place in the box. */
interface Anchor {
  key: string;
  /** Pixels from the upper edge of the box to that of the line. */
  offset: number;
}

/**
 * The lines of a thread that are drawn, and its scroll position. The box is laid out from its end
 * (`column-reverse`), so `scrollTop` is 0 at the newest message and negative above it: a page is at
 * the end before any script runs, and older messages in front move nothing. Whoever reads further up
 * has an anchor, the first line that is in view as a whole: whenever lines arrive, are drawn for the
 * first time or change their height, or the box changes its size, it is put back to its place before
 * the browser paints. No library: those that exist lay out from the top, and would have to move
 * everything with each older page, on the main thread, in the middle of the reader's scrolling.
 */
export function useThreadScroll(
  items: readonly ThreadItem[],
  lines: readonly ThreadLine[],
  selfId: string,
) {
  const ref = useRef<HTMLDivElement>(null);
  const own = useRef({
    heights: new Map<string, number>(),
    height: FIRST_HEIGHT,
    top: 0,
    /** null: at the end. */
    anchor: null as Anchor | null,
    last: "",
    range: { first: 0, last: 0 } as Range,
    all: new Float64Array(1),
    lines,
    at: new Map<string, number>(),
    watched: new WeakSet<Element>(),
  }).current;
  const [fresh, setFresh] = useState(0);
  const [isFar, setFar] = useState(false);
  const [, draw] = useState(0);
  const last = items.at(-1)?.key ?? "";
  const at = useMemo(() => new Map(lines.map(({ key }, index) => [key, index])), [lines]);

  // New lines for somebody who is at the end are in view at once, see the effect below.
  own.lines = lines;
  own.at = at;
  own.all = edges(lines, own.heights);
  own.range = wanted();
  const focused = typeof document === "undefined" ? null : keyOf(document.activeElement);
  const kept = focused === null ? [] : [at.get(focused) ?? -1];
  const parts = drawn(lines, own.all, own.range, kept);

  function wanted(margin?: number): Range {
    const { all, anchor, height } = own;
    const line = anchor === null ? undefined : own.at.get(anchor.key);
    const upper = line === undefined ? height - own.top : all[line]! + anchor!.offset;
    return rangeBetween(all, upper, upper - height, margin);
  }

  /** The drawn lines, in their order. */
  const children = () =>
    [...ref.current?.firstElementChild?.children ?? []].filter((one): one is HTMLElement =>
      (one as HTMLElement).dataset.key !== undefined
    );

  function measure(element: HTMLElement) {
    const { marginBlockStart, marginBlockEnd } = getComputedStyle(element);
    const { height } = element.getBoundingClientRect();
    own.heights.set(
      element.dataset.key!,
      height + parseFloat(marginBlockStart) + parseFloat(marginBlockEnd),
    );
  }

  /** Puts the anchor back to its place. */
  function settle() {
    const box = ref.current;
    if (box === null) return;
    const { anchor } = own;
    // Scrolled since then, and the event is still to come.
    const moved = own.top - box.scrollTop;
    if (anchor === null) {
      if (moved >= NEAR_END) return choose();
      if (box.scrollTop !== 0) box.scrollTop = 0;
    } else {
      anchor.offset += moved;
      const line = children().find(({ dataset }) => dataset.key === anchor.key);
      if (line === undefined) return choose();
      const now = line.getBoundingClientRect().top - box.getBoundingClientRect().top;
      // Not for a part of a pixel: it would end a scroll that is under way.
      if (Math.abs(now - anchor.offset) >= 1) box.scrollTop += now - anchor.offset;
    }
    own.top = box.scrollTop;
  }

  /** Chooses the anchor by what is in view. */
  function choose() {
    const box = ref.current;
    if (box === null) return;
    own.top = box.scrollTop;
    own.height = box.clientHeight;
    if (-own.top < NEAR_END) return void (own.anchor = null);
    const { top, bottom } = box.getBoundingClientRect();
    let inView: Anchor | null = null;
    for (const line of children()) {
      const edge = line.getBoundingClientRect();
      if (edge.bottom <= top) continue;
      if (edge.top >= bottom) break;
      inView = { key: line.dataset.key!, offset: edge.top - top };
      if (edge.top >= top) break;
    }
    // Scrolled so far that nothing of it is drawn yet.
    const upper = own.height - own.top;
    const index = Math.min(lastAtLeast(own.all, upper), own.lines.length - 1);
    own.anchor = inView ?? (index < 0 ? null : {
      key: own.lines[index]!.key,
      offset: upper - own.all[index]!,
    });
  }

  /** Draws again if what is drawn does not cover what is in view. */
  function cover() {
    const { first, last } = wanted(COVERED);
    if (first < own.range.first || last > own.range.last) draw((count) => count + 1);
  }

  const observer = useRef<ResizeObserver | null>(null);
  useEffect(() => {
    const box = ref.current!;
    // Pictures that load, other fonts, another width of the box.
    const watcher = observer.current = new ResizeObserver((entries) => {
      for (const { target } of entries) {
        if (target === box) continue;
        if (target.isConnected) measure(target as HTMLElement);
        else watcher.unobserve(target);
      }
      resized();
    });
    watcher.observe(box);
    watch();
    return () => watcher.disconnect();
  }, []);

  function resized() {
    const box = ref.current;
    if (box === null) return;
    own.height = box.clientHeight;
    own.all = edges(own.lines, own.heights);
    settle();
    cover();
  }

  function watch() {
    for (const line of children()) {
      if (own.watched.has(line)) continue;
      own.watched.add(line);
      observer.current?.observe(line);
    }
  }

  useLayoutEffect(() => {
    const newest = items.at(-1);
    const isOwn = newest?.pending != null || newest?.message?.sender.userId === selfId;
    if (own.last !== last && own.last !== "") {
      if (isOwn) own.anchor = null;
      else if (own.anchor !== null) {
        const known = items.findIndex((item) => item.key === own.last);
        setFresh((count) => count + (known === -1 ? 1 : items.length - 1 - known));
      }
    }
    own.last = last;
    for (const line of children()) if (!own.heights.has(line.dataset.key!)) measure(line);
    watch();
    resized();
  });

  function onScroll() {
    const box = ref.current;
    // Of a move that was made here nothing is left to do.
    if (box === null || box.scrollTop === own.top) return;
    choose();
    if (own.anchor === null) setFresh(0);
    setFar(-own.top > FAR_FROM_END);
    cover();
  }

  /** Draws a line that may be anywhere, and shows it in the middle of the box, or as near as it is. */
  function reveal(key: string, place: "center" | "nearest" = "center") {
    const box = ref.current;
    if (box === null) return;
    const find = () => children().find(({ dataset }) => dataset.key === key);
    if (find() === undefined || place === "center") {
      const height = own.heights.get(key) ?? 60;
      own.anchor = { key, offset: Math.max(0, (box.clientHeight - height) / 2) };
      draw((count) => count + 1);
      requestAnimationFrame(() => {
        settle();
        setFar(-own.top > FAR_FROM_END);
      });
    } else find()!.scrollIntoView({ block: "nearest" });
  }

  function toEnd() {
    own.anchor = null;
    own.top = 0;
    ref.current!.scrollTop = 0;
    setFresh(0);
    setFar(false);
    draw((count) => count + 1);
  }

  return { ref, parts, onScroll, reveal, toEnd, fresh, isFar };
}

/** The line that an element is in. */
function keyOf(element: Element | null): string | null {
  return element?.closest<HTMLElement>(".thread-lines > [data-key]")?.dataset.key ?? null;
}
