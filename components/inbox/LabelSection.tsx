import { useRef } from "preact/hooks";
import { Plus } from "lucide-preact";
import { MAX_CONVERSATION_LABELS } from "../live/limits.ts";
import type { Conversation } from "../../protocol/model.ts";
import { LabelChip } from "../ui/LabelChip.tsx";
import { useInbox } from "./context.ts";
import { LabelChooser } from "./LabelChooser.tsx";
import { useOutside } from "./use_outside.ts";

/** The labels of the open conversation, and the menu to add others. */
export function LabelSection({ conversation }: { conversation: Conversation }) {
  const { labels, announcement } = useInbox();
  const own = labels.of(conversation);
  const open = labels.menuOpen.value;
  const full = own.length >= MAX_CONVERSATION_LABELS;
  const root = useRef<HTMLDivElement>(null);
  const button = useRef<HTMLButtonElement>(null);
  useOutside(root, open, () => labels.menuOpen.value = false);

  function toggle({ id, name }: { id: string; name: string }) {
    const has = own.some((label) => label.id === id);
    if (!has && full) {
      announcement.value = `At most ${MAX_CONVERSATION_LABELS} labels`;
      return;
    }
    announcement.value = `${name} ${has ? "removed" : "added"}`;
    labels.toggle(conversation, id);
  }
  async function create(name: string) {
    const label = full ? null : await labels.create(name);
    if (label !== null && !labels.of(conversation).some(({ id }) => id === label.id)) {
      toggle(label);
    }
  }

  return (
    <section aria-labelledby="context-labels">
      <h3 id="context-labels">Labels</h3>
      <div class="label-section">
        {own.length > 0 && (
          <ul class="label-list" aria-labelledby="context-labels">
            {own.map((label) => (
              <li key={label.id}>
                <LabelChip
                  name={label.name}
                  color={label.color}
                  title={label.description ?? undefined}
                  onRemove={() => {
                    // The button disappears, and the focus with it.
                    button.current?.focus();
                    toggle(label);
                  }}
                />
              </li>
            ))}
          </ul>
        )}
        <div class="label-add" ref={root}>
          <button
            type="button"
            class="button"
            data-kind="quiet"
            data-size="s"
            ref={button}
            aria-haspopup="listbox"
            aria-expanded={open ? "true" : "false"}
            aria-keyshortcuts="L"
            onClick={() => labels.menuOpen.value = !open}
          >
            <Plus size={14} aria-hidden="true" />
            Add label
          </button>
          {open && (
            <div class="menu label-menu">
              <LabelChooser
                label="Labels of this conversation"
                labels={labels.all.value}
                chosen={own.map(({ id }) => id)}
                several
                onChoose={toggle}
                onCreate={create}
                onClose={() => {
                  labels.menuOpen.value = false;
                  button.current?.focus();
                }}
              >
                {full && (
                  <p class="label-none">
                    This conversation has {MAX_CONVERSATION_LABELS} labels, which is the maximum.
                  </p>
                )}
              </LabelChooser>
            </div>
          )}
        </div>
      </div>
    </section>
  );
}
