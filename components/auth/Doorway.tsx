import type { ComponentChildren } from "preact";
import { Logo } from "../ui/Logo.tsx";

/** The frame of the pages before the inbox: sign in, set up, and those that tell of an error. */
export function Doorway({ title, lead, children }: {
  title: string;
  lead?: string;
  children: ComponentChildren;
}) {
  return (
    <main class="doorway">
      <div class="doorway-card">
        <Logo size={36} />
        <h1>{title}</h1>
        {lead && <p class="doorway-lead">{lead}</p>}
        {children}
      </div>
    </main>
  );
}
