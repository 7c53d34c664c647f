import "../styles/pages/settings.css";
import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { PageHead } from "../shell/PageShell.tsx";
import { SETTINGS_PAGES } from "./pages.ts";

export interface SettingsFrameProps {
  /** The page's own path, which marks its entry as the current one. */
  path: string;
  title: string;
  lead?: string;
  action?: ComponentChildren;
  children: ComponentChildren;
}

/** Scrolls to the current page, where the list of pages is wider than the screen. */
function showCurrent(list: HTMLElement): void {
  const link = list.querySelector<HTMLElement>("[aria-current]");
  if (link === null || list.scrollWidth <= list.clientWidth) return;
  const middle = link.offsetLeft - list.offsetLeft - (list.clientWidth - link.offsetWidth) / 2;
  list.scrollLeft = Math.max(0, middle);
}

/** The pages of the settings, and the current page: side by side on a desktop, below on a phone. */
export function SettingsFrame({ path, title, lead, action, children }: SettingsFrameProps) {
  const pages = useRef<HTMLUListElement>(null);
  useEffect(() => {
    const list = pages.current!;
    const observer = new ResizeObserver(() => showCurrent(list));
    observer.observe(list);
    return () => observer.disconnect();
  }, []);
  return (
    <div class="settings">
      <nav class="settings-nav" aria-label="Settings">
        <p aria-hidden="true">Settings</p>
        <ul ref={pages}>
          {SETTINGS_PAGES.map(({ path: to, label, Icon }) => (
            <li key={to}>
              <a href={to} aria-current={to === path ? "page" : undefined}>
                <Icon size={16} aria-hidden="true" />
                {label}
              </a>
            </li>
          ))}
        </ul>
      </nav>
      <div class="page-width">
        <PageHead title={title} lead={lead} action={action} />
        {children}
      </div>
    </div>
  );
}
