import type { ComponentChildren } from "preact";
import { CircleAlert, Info, TriangleAlert } from "lucide-preact";

const ICONS = { bad: CircleAlert, warn: TriangleAlert, plain: Info };

/** A message that stays in the page as long as it applies. */
export function Notice({ tone = "bad", children }: {
  tone?: "bad" | "warn" | "plain";
  children: ComponentChildren;
}) {
  const Icon = ICONS[tone];
  return (
    <div class="notice" data-tone={tone}>
      <Icon size={16} aria-hidden="true" />
      <div>{children}</div>
    </div>
  );
}
