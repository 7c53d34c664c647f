import { useRef, useState } from "preact/hooks";
import type { JSX } from "preact";

interface Drag {
  from: number;
  to: number;
  /** Pixels that the pointer moved. */
  by: number;
  height: number;
}

/**
 * Dragging the rows of a list by a handle. Until the end of the drag the document does not change,
 * rows are only rendered elsewhere. Then `drop` is called once, with the old and the new index.
 */
export function useDrag(drop: (from: number, to: number) => void) {
  const [drag, setDrag] = useState<Drag | null>(null);
  const rows = useRef<HTMLOListElement>(null);
  const start = useRef({ y: 0, middles: [] as number[] });

  const onMove = (event: PointerEvent) => {
    setDrag((now) => {
      if (now === null) return null;
      const by = event.clientY - start.current.y;
      const { middles } = start.current;
      const middle = middles[now.from]! + by;
      const above = middles.filter((other, index) => index !== now.from && other < middle).length;
      return { ...now, by, to: above };
    });
  };

  const handle = (index: number) => ({
    onPointerDown(event: JSX.TargetedPointerEvent<HTMLElement>) {
      if (event.button !== 0) return;
      const boxes = [...rows.current!.children].map((row) => row.getBoundingClientRect());
      start.current = { y: event.clientY, middles: boxes.map((box) => box.top + box.height / 2) };
      event.currentTarget.setPointerCapture(event.pointerId);
      setDrag({ from: index, to: index, by: 0, height: boxes[index]!.height });
    },
    onPointerMove: drag === null ? undefined : onMove,
    onPointerUp() {
      if (drag !== null && drag.to !== drag.from) drop(drag.from, drag.to);
      setDrag(null);
    },
    onPointerCancel: () => setDrag(null),
    onLostPointerCapture: () => setDrag(null),
  });

  /** The offset of a row from its position. */
  const styleOf = (index: number): JSX.CSSProperties | undefined => {
    if (drag === null) return undefined;
    const { from, to, by, height } = drag;
    const shift = index === from
      ? by
      : index > from && index <= to
      ? -height
      : index < from && index >= to
      ? height
      : 0;
    return { transform: `translateY(${shift}px)` };
  };

  return { rows, handle, styleOf, dragged: drag?.from ?? null };
}
