import "../live/own_history.ts";
import type { ComponentChildren } from "preact";
import { useEffect, useMemo } from "preact/hooks";
import { createPage, type PageStart } from "../live/page_model.ts";
import { Toasts } from "../ui/Toasts.tsx";
import { ConnectionBanner } from "./ConnectionBanner.tsx";
import { WorkspaceProvider } from "./context.ts";
import { Overlays } from "./Overlays.tsx";
import { Rail, type RailSection } from "./Rail.tsx";
import { usePageKeys } from "./use_page_keys.ts";

export interface PageShellProps {
  start: PageStart;
  section: RailSection;
  children: ComponentChildren;
}

/** The frame of every page except the inbox: rail, connection banner and toasts. */
export function PageShell({ start, section, children }: PageShellProps) {
  const page = useMemo(() => createPage(start), []);
  useEffect(() => page.begin(), []);
  usePageKeys(page);
  return (
    <WorkspaceProvider value={page}>
      <div class="shell page-shell" data-pane="list">
        <a class="skip-link" href="#main">Skip to the content</a>
        <ConnectionBanner elsewhere />
        <Rail section={section} unread={page.unread.value} />
        <main class="page" id="main" tabIndex={-1}>{children}</main>
        <Toasts toasts={page.toasts} />
        <Overlays />
        <div class="sr-only" aria-live="polite">{page.announcement.value}</div>
      </div>
    </WorkspaceProvider>
  );
}

/** The head of a page: the way back, title, introduction and main action. */
export function PageHead({ title, lead, back, action }: {
  title: ComponentChildren;
  lead?: ComponentChildren;
  /** The parent page. */
  back?: { href: string; label: string };
  action?: ComponentChildren;
}) {
  return (
    <header class="page-head">
      <div>
        {back && (
          <nav aria-label="Parent page">
            <a class="page-back" href={back.href}>{back.label}</a>
          </nav>
        )}
        <h1>{title}</h1>
        {lead && <p>{lead}</p>}
      </div>
      {action && <div class="page-action">{action}</div>}
    </header>
  );
}
