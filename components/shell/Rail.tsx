import { ChartLine, Inbox, MessageSquareCode, Settings, Workflow } from "lucide-preact";
import { CountBadge } from "../ui/Badge.tsx";
import { Logo } from "../ui/Logo.tsx";
import { AccountMenu } from "./AccountMenu.tsx";
import { NotificationBell } from "./NotificationBell.tsx";

export type Place = "inbox" | "rules" | "widgets" | "analytics" | "settings";

const ENTRIES: { place: Place; label: string; href: string; Icon: typeof Inbox }[] = [
  { place: "inbox", label: "Inbox", href: "/", Icon: Inbox },
  { place: "rules", label: "Rules", href: "/rules", Icon: Workflow },
  { place: "widgets", label: "Widgets", href: "/widgets", Icon: MessageSquareCode },
  { place: "analytics", label: "Analytics", href: "/analytics", Icon: ChartLine },
  { place: "settings", label: "Settings", href: "/settings", Icon: Settings },
];

export interface RailProps {
  place: Place;
  /** Unread messages of the agent, over all conversations. */
  unread: number;
  /** How the inbox leads to its own start without loading a page. */
  inbox?: { href: string; open: () => void };
}

export function Rail({ place, unread, inbox }: RailProps) {
  return (
    <header class="rail">
      <Logo size={28} />
      <nav aria-label="Main">
        {ENTRIES.map(({ place: to, label, href, Icon }) => {
          const own = to === "inbox" ? inbox : undefined;
          return (
            <a
              key={to}
              class="rail-link"
              href={own?.href ?? href}
              aria-current={to === place ? "page" : undefined}
              data-tip={label}
              data-tip-at="end"
              onClick={own && ((event) => {
                if (event.metaKey || event.ctrlKey || event.shiftKey) return;
                event.preventDefault();
                own.open();
              })}
            >
              <Icon size={18} aria-hidden="true" />
              <span class="sr-only">{label}</span>
              {to === "inbox" && <CountBadge count={unread} noun="unread" />}
            </a>
          );
        })}
      </nav>
      <NotificationBell />
      <AccountMenu />
    </header>
  );
}
