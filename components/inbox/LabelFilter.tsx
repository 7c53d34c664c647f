import { useRef, useState } from "preact/hooks";
import { ChevronDown, Tag, X } from "lucide-preact";
import { LabelDot } from "../ui/LabelChip.tsx";
import { useInbox } from "./context.ts";
import { LabelChooser } from "./LabelChooser.tsx";
import { useOutside } from "./use_outside.ts";

/** The label that the list is filtered by; hidden while there are no labels. */
export function LabelFilter() {
  const inbox = useInbox();
  const all = inbox.labels.all.value;
  const filter = inbox.list.filter.value;
  const [open, setOpen] = useState(false);
  const root = useRef<HTMLDivElement>(null);
  useOutside(root, open, () => setOpen(false));
  const chosen = all.find(({ id }) => id === filter.label);
  if (all.length === 0) return null;
  const close = () => {
    setOpen(false);
    root.current?.querySelector("button")?.focus();
  };
  const set = (label: string | undefined) => {
    const { label: _before, ...rest } = filter;
    inbox.setFilter({ ...rest, ...(label ? { label } : {}) });
    close();
  };
  return (
    <div class="label-filter-anchor" ref={root}>
      <button
        type="button"
        class="button label-filter"
        data-kind="quiet"
        data-size="s"
        aria-haspopup="listbox"
        aria-keyshortcuts="Shift+L"
        aria-expanded={open ? "true" : "false"}
        onClick={() => setOpen(!open)}
      >
        {chosen
          ? (
            <>
              <LabelDot color={chosen.color} />
              <span class="sr-only">Label:</span>
              <span class="truncate" dir="auto">{chosen.name}</span>
              <ChevronDown size={14} aria-hidden="true" />
            </>
          )
          : (
            <>
              <Tag size={14} aria-hidden="true" />
              <span class="sr-only">Filter by label</span>
            </>
          )}
      </button>
      {open && (
        <div class="menu label-menu" data-align="end">
          <LabelChooser
            label="Show conversations with the label"
            labels={all}
            chosen={chosen ? [chosen.id] : []}
            onChoose={({ id }) => set(id === filter.label ? undefined : id)}
            onClose={close}
          >
            {chosen && (
              <button
                type="button"
                class="menu-item label-clear"
                onClick={() => set(undefined)}
              >
                <X size={14} aria-hidden="true" />
                <span class="menu-label">Any label</span>
              </button>
            )}
          </LabelChooser>
        </div>
      )}
    </div>
  );
}
