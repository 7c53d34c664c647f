import type { ComponentChildren } from "preact";

export interface EmptyStateProps {
  icon: ComponentChildren;
  title: string;
  children?: ComponentChildren;
  /** The next step. */
  action?: ComponentChildren;
  tone?: "plain" | "bad";
}

export function EmptyState({ icon, title, children, action, tone }: EmptyStateProps) {
  return (
    <div class="empty" data-tone={tone} role={tone === "bad" ? "alert" : undefined}>
      <span class="empty-icon" aria-hidden="true">{icon}</span>
      <h2>{title}</h2>
      {children && <p>{children}</p>}
      {action && <div class="empty-action">{action}</div>}
    </div>
  );
}
