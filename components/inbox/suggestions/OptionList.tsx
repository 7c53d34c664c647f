import type { ComponentChildren } from "preact";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import type { SuggestionsProps } from "./props.ts";

export interface Option {
  key: string;
  content: ComponentChildren;
  take: () => void;
}

export interface OptionListProps
  extends Pick<SuggestionsProps, "id" | "trigger" | "keys" | "onActive" | "onClose"> {
  label: string;
  options: readonly Option[];
  /** Below the options, or instead of them. */
  children?: ComponentChildren;
}

/** The options for a text area that keeps the focus. */
export function OptionList(props: OptionListProps) {
  const { id, trigger, keys, label, options, onActive, onClose, children } = props;
  const [at, setAt] = useState(0);
  const list = useRef<HTMLDivElement>(null);
  const index = Math.min(at, options.length - 1);
  const chosen = options[index];
  const active = chosen === undefined ? null : `${id}-${chosen.key}`;

  useEffect(() => setAt(0), [trigger.at, trigger.text]);
  useLayoutEffect(() => {
    onActive(active);
    list.current?.querySelector('[aria-selected="true"]')?.scrollIntoView({ block: "nearest" });
    return () => onActive(null);
  }, [active]);
  keys.current = (event) => {
    if (event.key === "Escape") onClose();
    else if (chosen === undefined) return false;
    else if (event.key === "ArrowDown") setAt((index + 1) % options.length);
    else if (event.key === "ArrowUp") setAt((index - 1 + options.length) % options.length);
    else if ((event.key === "Enter" && !event.shiftKey) || event.key === "Tab") chosen.take();
    else return false;
    event.preventDefault();
    event.stopPropagation();
    return true;
  };

  if (chosen === undefined && !children) return null;
  return (
    // The text keeps the focus.
    <div class="suggestions" onPointerDown={(event) => event.preventDefault()}>
      <div id={id} ref={list} role="listbox" aria-label={label} hidden={chosen === undefined}>
        {options.map((option) => (
          <div
            key={option.key}
            id={`${id}-${option.key}`}
            role="option"
            aria-selected={option === chosen ? "true" : "false"}
            onClick={option.take}
          >
            {option.content}
          </div>
        ))}
      </div>
      {children}
    </div>
  );
}
