import type { ComponentChildren } from "preact";

export interface BadgeProps {
  tone?: "plain" | "accent" | "good" | "warn";
  children: ComponentChildren;
}

export function Badge({ tone, children }: BadgeProps) {
  return <span class="badge" data-tone={tone}>{children}</span>;
}

/** A count that shows at most 99+; screen readers get the exact number with its noun. */
export function CountBadge({ count, noun }: { count: number; noun: string }) {
  if (count <= 0) return null;
  return (
    <Badge tone="accent">
      <span aria-hidden="true">{count > 99 ? "99+" : count}</span>
      <span class="sr-only">{count} {noun}</span>
    </Badge>
  );
}
