import type { ComponentChildren } from "preact";
import { Logo } from "../ui/Logo.tsx";

/** The layout of pages outside the dashboard: sign in, setup, and errors. */
export function CenteredPage({ title, lead, children }: {
  title: string;
  lead?: string;
  children: ComponentChildren;
}) {
  return (
    <main class="centered-page">
      <div class="centered-page-card">
        <Logo size={36} />
        <h1>{title}</h1>
        {lead && <p class="centered-page-lead">{lead}</p>}
        {children}
      </div>
    </main>
  );
}
