import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import {
  Bell,
  Cable,
  Clock,
  Inbox,
  KeyRound,
  MessageSquareText,
  ScrollText,
  Tag,
  UserRound,
  Users,
  UsersRound,
} from "lucide-preact";
import { PageHead } from "../shell/PageShell.tsx";

const PAGES = [
  { path: "/settings/profile", label: "Profile", Icon: UserRound },
  { path: "/settings/notifications", label: "Notifications", Icon: Bell },
  { path: "/settings/people", label: "People", Icon: UsersRound },
  { path: "/settings/teams", label: "Teams", Icon: Users },
  { path: "/settings/labels", label: "Labels", Icon: Tag },
  { path: "/settings/canned-replies", label: "Canned replies", Icon: MessageSquareText },
  { path: "/settings/queue", label: "Assignment", Icon: Inbox },
  { path: "/settings/business-hours", label: "Business hours", Icon: Clock },
  { path: "/settings/api-keys", label: "API keys", Icon: KeyRound },
  { path: "/settings/audit", label: "Audit log", Icon: ScrollText },
  { path: "/settings/websocket", label: "WebSocket", Icon: Cable },
];

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
          {PAGES.map(({ path: to, label, Icon }) => (
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
