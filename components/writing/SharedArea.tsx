import type { JSX, RefObject } from "preact";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import { hueOf } from "../format/avatar.ts";
import type { SharedText } from "../live/documents_model.ts";
import { autosize } from "../ui/autosize.ts";
import { peerMarks } from "./peer_marks.ts";

export interface SharedAreaProps extends JSX.TextareaHTMLAttributes<HTMLTextAreaElement> {
  shared: SharedText;
  areaRef: RefObject<HTMLTextAreaElement>;
}

/** The most that a name at a caret takes, in CSS pixels. */
const NAME_WIDTH = 150;
/** Pixels from the top within which a name has no room above its caret. */
const FIRST_LINE = 18;

/** A text area that several people edit, with the others' carets and names. */
export function SharedArea({ shared, areaRef, ...area }: SharedAreaProps) {
  const marks = useRef<HTMLDivElement>(null);
  const text = shared.text.value;
  const cursors = shared.cursors.value;

  useEffect(() => shared.bind(areaRef.current!), [shared]);

  /** The marks cover the text: the same width and the same scroll position. */
  const align = () => {
    const box = areaRef.current;
    if (box === null || marks.current === null) return;
    marks.current.style.inlineSize = `${box.clientWidth}px`;
    marks.current.style.translate = `0 ${-box.scrollTop}px`;
    for (const caret of marks.current.querySelectorAll<HTMLElement>(".peer-caret")) {
      // Above the first line are the controls of the composer.
      caret.dataset.line = caret.offsetTop - box.scrollTop < FIRST_LINE ? "first" : "other";
      caret.dataset.at = caret.offsetLeft > box.clientWidth - NAME_WIDTH ? "end" : "start";
    }
  };
  useEffect(() => {
    const observer = new ResizeObserver(align);
    observer.observe(areaRef.current!);
    return () => observer.disconnect();
  }, []);
  useLayoutEffect(() => {
    autosize(areaRef.current);
    align();
  }, [text, cursors]);

  return (
    <div class="shared-area">
      <textarea dir="auto" {...area} ref={areaRef} onScroll={align} />
      <div class="peer-marks" aria-hidden="true">
        <div ref={marks} dir="auto">
          {peerMarks(text, cursors).map((mark, i) => {
            if (mark.kind === "text") {
              return mark.selectedBy === null
                ? mark.text
                : (
                  <mark key={`mark-${i}`} data-hue={hueOf(mark.selectedBy.userId)}>
                    {mark.text}
                  </mark>
                );
            }
            const { clientId, userId, userName, position } = mark.peer;
            return (
              <span class="peer-caret" key={clientId} data-hue={hueOf(userId)}>
                {/* A new element for each position, so that the name shows and fades again. */}
                <i key={position} dir="auto">{userName}</i>
              </span>
            );
          })}
        </div>
      </div>
    </div>
  );
}
