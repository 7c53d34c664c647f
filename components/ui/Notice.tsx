import type { ComponentChildren } from "preact";
import { CircleAlert, Info, TriangleAlert } from "lucide-preact";

const ICONS = { bad: CircleAlert, warn: TriangleAlert, plain: Info };

/** Something that stands in the page for as long as it holds. */
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
