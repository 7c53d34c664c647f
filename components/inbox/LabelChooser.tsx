import type { ComponentChildren } from "preact";
import { useEffect, useId, useLayoutEffect, useRef, useState } from "preact/hooks";
import { Check, Plus } from "lucide-preact";
import { MAX_LABEL_NAME } from "../live/limits.ts";
import type { Label } from "../../protocol/model.ts";
import { isTaken, matching } from "../live/labels.ts";
import { LabelDot } from "../ui/LabelChip.tsx";

export interface LabelChooserProps {
  /** The accessible name of the list. */
  label: string;
  labels: readonly Label[];
  /** Ids of the selected labels. */
  chosen: readonly string[];
  /** Whether several can be selected; then the list stays open. */
  several?: boolean;
  onChoose: (label: Label) => void;
  /** Makes a label with this name; absent where labels are only selected. */
  onCreate?: (name: string) => void;
  onClose: () => void;
  /** Shown below the list. */
  children?: ComponentChildren;
}

/**
 * A combobox of labels: the focus stays in the field, arrows move, Enter selects, Esc closes. It
 * gets the focus when it opens.
 */
export function LabelChooser(props: LabelChooserProps) {
  const { labels, chosen, several, onChoose, onCreate, onClose } = props;
  const [query, setQuery] = useState("");
  const [at, setAt] = useState(0);
  const box = useRef<HTMLInputElement>(null);
  const list = useRef<HTMLDivElement>(null);
  const id = useId();
  const name = query.trim().replace(/\s+/g, " ");
  const found = matching(labels, query);
  const creates = onCreate !== undefined && name !== "" && !isTaken(labels, name);
  const count = found.length + (creates ? 1 : 0);
  const active = Math.min(at, count - 1);

  useLayoutEffect(() => {
    // At once, because the user may be typing already, and again after the pane around it took the
    // focus.
    box.current?.focus();
    const frame = requestAnimationFrame(() => box.current?.focus());
    return () => cancelAnimationFrame(frame);
  }, []);
  useEffect(() => {
    list.current?.querySelector("[data-active]")?.scrollIntoView({ block: "nearest" });
  }, [active, query]);

  function take(index: number) {
    const label = found[index];
    if (label !== undefined) onChoose(label);
    else if (creates) onCreate(name);
    if (label === undefined && !creates) return;
    setQuery("");
    setAt(several && query === "" ? index : 0);
  }
  const move: Record<string, number> = {
    ArrowDown: (active + 1) % count,
    ArrowUp: (active - 1 + count) % count,
    Home: 0,
    End: count - 1,
  };
  function onKeyDown(event: KeyboardEvent) {
    if (event.isComposing) return;
    const to = move[event.key];
    if (event.key === "Escape") onClose();
    else if (event.key === "Enter") take(active);
    else if (to !== undefined && count > 0) setAt(to);
    // The page's shortcuts do not act while it is open.
    else return event.stopPropagation();
    event.preventDefault();
    event.stopPropagation();
  }

  return (
    <div class="label-chooser" onKeyDown={onKeyDown}>
      <input
        ref={box}
        type="text"
        role="combobox"
        aria-label={props.label}
        aria-autocomplete="list"
        aria-expanded="true"
        aria-controls={id}
        aria-activedescendant={count > 0 ? `${id}-${active}` : undefined}
        placeholder={onCreate ? "Find or create a label" : "Find a label"}
        autocomplete="off"
        autocapitalize="off"
        spellcheck={false}
        maxLength={MAX_LABEL_NAME}
        value={query}
        onInput={(event) => {
          setQuery(event.currentTarget.value);
          setAt(0);
        }}
      />
      <div
        class="label-options"
        id={id}
        ref={list}
        role="listbox"
        aria-label={props.label}
        aria-multiselectable={several ? "true" : undefined}
      >
        {found.map((label, index) => (
          <div
            key={label.id}
            id={`${id}-${index}`}
            class="menu-item"
            role="option"
            aria-selected={chosen.includes(label.id) ? "true" : "false"}
            data-active={index === active ? "" : undefined}
            title={label.description ?? undefined}
            // The field keeps the focus.
            onPointerDown={(event) => event.preventDefault()}
            onClick={() => take(index)}
          >
            <LabelDot color={label.color} />
            <span class="menu-label" dir="auto">{label.name}</span>
            {chosen.includes(label.id) && <Check class="menu-check" size={16} aria-hidden="true" />}
          </div>
        ))}
        {creates && (
          <div
            id={`${id}-${found.length}`}
            class="menu-item"
            role="option"
            aria-selected="false"
            data-active={active === found.length ? "" : undefined}
            onPointerDown={(event) => event.preventDefault()}
            onClick={() => take(found.length)}
          >
            <Plus size={14} aria-hidden="true" />
            <span class="menu-label">Make “{name}”</span>
          </div>
        )}
      </div>
      {count === 0 && (
        <p class="label-none">
          {labels.length === 0
            ? onCreate ? "No labels yet. Write a name to make the first." : "No labels yet."
            : "No label with this name."}
        </p>
      )}
      {props.children}
    </div>
  );
}
