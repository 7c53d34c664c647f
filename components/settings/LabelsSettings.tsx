import { useState } from "preact/hooks";
import { Pencil, Plus, Tag, Trash2 } from "lucide-preact";
import type { Label } from "../../protocol/model.ts";
import { byName, nextColor } from "../live/labels.ts";
import { MAX_LABELS } from "../live/limits.ts";
import { useLive } from "../live/use_live.ts";
import { useWorkspace } from "../shell/context.ts";
import { Button, IconButton } from "../ui/Button.tsx";
import { Dialog } from "../ui/Dialog.tsx";
import { EmptyState } from "../ui/EmptyState.tsx";
import { LabelChip } from "../ui/LabelChip.tsx";
import { StaleNotice } from "../ui/StaleNotice.tsx";
import { DeleteLabel } from "./DeleteLabel.tsx";
import { LabelForm } from "./LabelForm.tsx";
import { SettingsFrame } from "./SettingsFrame.tsx";
import { isolate } from "../../protocol/visible_text.ts";

/** The open dialog; `label` is null for a new one. */
type Task = { kind: "edit"; label: Label | null } | { kind: "delete"; label: Label };

export function LabelsSettings({ labels: start }: { labels: Label[] }) {
  const { toasts, me } = useWorkspace();
  const live = useLive<Label[]>("labels", start, "/api/labels");
  const [task, setTask] = useState<Task | null>(null);
  const labels = byName(live.value);
  const full = labels.length >= MAX_LABELS;
  const close = () => setTask(null);
  const others = (id: string) => live.value.filter((one) => one.id !== id);
  const told = (text: string) => {
    close();
    toasts.show({ tone: "good", text });
  };
  const add = (
    <Button
      kind="primary"
      icon={<Plus size={16} aria-hidden="true" />}
      unavailable={full}
      onClick={() => setTask({ kind: "edit", label: null })}
    >
      New label
    </Button>
  );
  return (
    <SettingsFrame
      path="/settings/labels"
      title="Labels"
      lead="Labels sort conversations. Visitors never see them."
      action={labels.length > 0 && add}
    >
      {live.problem && <StaleNotice problem={live.problem} />}
      {labels.length === 0
        ? (
          <EmptyState icon={<Tag size={20} />} title="No labels yet" action={add}>
            Mark what conversations are about, such as “Refund” or “Bug”, and find them in the inbox
            and in analytics.
          </EmptyState>
        )
        : (
          <ul class="cards labels" aria-label="Labels">
            {labels.map((label) => (
              <LabelCard
                key={label.id}
                label={label}
                mayDelete={me.value.role === "admin"}
                onTask={setTask}
              />
            ))}
          </ul>
        )}
      {full && <p class="field-hint">There are {MAX_LABELS} labels, which is the maximum.</p>}
      <Dialog
        open={task?.kind === "edit"}
        title={task?.label ? "Edit label" : "New label"}
        onClose={close}
        focusInside
      >
        {task?.kind === "edit" && (
          <LabelForm
            label={task.label}
            firstColor={nextColor(labels)}
            onStale={live.refresh}
            onClose={close}
            onDone={(label) => {
              live.set([...others(label.id), label]);
              told(`“${isolate(label.name)}” is ${task.label ? "saved" : "added"}.`);
            }}
          />
        )}
      </Dialog>
      <Dialog
        open={task?.kind === "delete"}
        title={`Delete “${isolate(task?.label?.name ?? "")}”?`}
        onClose={close}
      >
        {task?.kind === "delete" && (
          <DeleteLabel
            label={task.label}
            onClose={close}
            onDone={({ id, name }) => {
              live.set(others(id));
              told(`“${isolate(name)}” is deleted.`);
            }}
          />
        )}
      </Dialog>
    </SettingsFrame>
  );
}

function LabelCard({ label, mayDelete, onTask }: {
  label: Label;
  /** Deleting removes it from every conversation, so only admins may do that. */
  mayDelete: boolean;
  onTask: (task: Task) => void;
}) {
  const { id, name, color, description } = label;
  return (
    <li>
      <div class="card">
        <span class="card-words">
          <a href={`/?status=all&label=${id}`} title="Show its conversations">
            <LabelChip name={name} color={color} />
          </a>
          {description && <span dir="auto">{description}</span>}
        </span>
        <IconButton
          label={`Edit ${name}`}
          tipAt="start"
          onClick={() => onTask({ kind: "edit", label })}
        >
          <Pencil size={16} />
        </IconButton>
        {mayDelete && (
          <IconButton
            label={`Delete ${name}`}
            tipAt="start"
            onClick={() => onTask({ kind: "delete", label })}
          >
            <Trash2 size={16} />
          </IconButton>
        )}
      </div>
    </li>
  );
}
