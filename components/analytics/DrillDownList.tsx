import { useEffect, useRef } from "preact/hooks";
import { X } from "lucide-preact";
import type { MetricUnit } from "../../protocol/analytics.ts";
import { exactTime } from "../format/time.ts";
import { useWorkspace } from "../shell/context.ts";
import { IconButton } from "../ui/Button.tsx";
import { ListSkeleton } from "../ui/Skeleton.tsx";
import type { DrillDown } from "./analytics_model.ts";
import { valueText } from "./values.ts";

/** The conversations that a number counts. */
export function DrillDownList({ drillDown, unit, onClose }: {
  drillDown: DrillDown;
  unit: MetricUnit;
  onClose: () => void;
}) {
  const clock = useWorkspace().clock.value;
  const { title, items } = drillDown;
  const part = useRef<HTMLElement>(null);
  // It opens below the clicked element, which may be at the end of the screen.
  useEffect(() => part.current?.scrollIntoView({ block: "nearest" }), [title, items === null]);
  return (
    <section
      class="figure-part drill-down"
      aria-labelledby="drill-down"
      ref={part}
      aria-live="polite"
    >
      <header>
        <h2 id="drill-down">{title}</h2>
        <IconButton label="Close the list" size="s" onClick={onClose}>
          <X size={16} aria-hidden="true" />
        </IconButton>
      </header>
      {items === null
        ? <ListSkeleton rows={3} label="Loading conversations" />
        : items.length === 0
        ? <p class="figure-none">No conversations.</p>
        : (
          <ul>
            {items.map(({ conversationId, contactName, status, value, at, comment }) => (
              <li key={conversationId}>
                <a href={`/conversations/${conversationId}`}>
                  <strong dir="auto">{contactName.trim() || "Visitor"}</strong>
                  <span>{status}</span>
                  <time dateTime={at}>{exactTime(at, clock)}</time>
                  <b>{value === null ? "" : valueText(value, unit)}</b>
                  {comment && <q dir="auto">{comment}</q>}
                </a>
              </li>
            ))}
          </ul>
        )}
    </section>
  );
}
