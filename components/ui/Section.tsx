import type { ComponentChildren } from "preact";

/** A section of a page: its title and introduction beside its settings. */
export function Section({ id, title, lead, children }: {
  id: string;
  title: string;
  lead?: ComponentChildren;
  children: ComponentChildren;
}) {
  return (
    <section class="section" aria-labelledby={id}>
      <div class="section-about">
        <h2 id={id}>{title}</h2>
        {lead && <p>{lead}</p>}
      </div>
      <div class="section-body">{children}</div>
    </section>
  );
}
