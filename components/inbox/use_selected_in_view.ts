import type { RefObject } from "preact";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";

/** Keeps the selected row in view when it moves in the list, if it was in view before. */
export function useSelectedInView(
  list: RefObject<HTMLElement>,
  selectedId: string | null,
  /** Its index in the list; -1 where it is not in it. */
  index: number,
) {
  const isInView = useRef(false);
  const find = () =>
    selectedId === null
      ? null
      : list.current?.querySelector(`[data-row="${CSS.escape(selectedId)}"]`) ?? null;
  const isListed = index >= 0;

  useEffect(() => {
    isInView.current = false;
    const row = find();
    if (row === null) return;
    // Reports a row that has moved later than the layout effect below runs.
    const observer = new IntersectionObserver(
      (entries) => isInView.current = entries.at(-1)!.isIntersecting,
      { root: row.closest(".list-scroll") },
    );
    observer.observe(row);
    return () => observer.disconnect();
  }, [selectedId, isListed]);
  useLayoutEffect(() => {
    if (isInView.current) find()?.scrollIntoView({ block: "nearest" });
  }, [index]);
}
