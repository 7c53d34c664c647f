import type { LabelColor } from "../../protocol/model.ts";
import { X } from "lucide-preact";

export function LabelDot({ color }: { color: LabelColor }) {
  return <span class="label-dot" data-label={color} aria-hidden="true" />;
}

/** A label with its colour, and a button to remove it, if it can be removed. */
export function LabelChip({ name, color, title, onRemove }: {
  name: string;
  color: LabelColor;
  title?: string;
  onRemove?: () => void;
}) {
  return (
    <span class="label-chip" data-label={color} title={title}>
      <LabelDot color={color} />
      <span class="truncate" dir="auto">{name}</span>
      {onRemove && (
        <button type="button" aria-label={`Remove the label ${name}`} onClick={onRemove}>
          <X size={12} aria-hidden="true" />
        </button>
      )}
    </span>
  );
}
