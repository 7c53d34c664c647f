import {
  ChartLine,
  ContactRound,
  Inbox,
  MessageSquareCode,
  Settings,
  Workflow,
} from "lucide-preact";
import { CountBadge } from "../ui/Badge.tsx";
import { Logo } from "../ui/Logo.tsx";
import { AccountMenu } from "./AccountMenu.tsx";
import { useWorkspace } from "./context.ts";
import { NotificationBell } from "./NotificationBell.tsx";

export type RailSection = "inbox" | "contacts" | "rules" | "widgets" | "analytics" | "settings";

const ENTRIES: { section: RailSection; label: string; href: string; Icon: typeof Inbox }[] = [
  { section: "inbox", label: "Inbox", href: "/", Icon: Inbox },
  { section: "contacts", label: "Contacts", href: "/contacts", Icon: ContactRound },
  { section: "rules", label: "Rules", href: "/rules", Icon: Workflow },
  { section: "widgets", label: "Widgets", href: "/widgets", Icon: MessageSquareCode },
  { section: "analytics", label: "Analytics", href: "/analytics", Icon: ChartLine },
  { section: "settings", label: "Settings", href: "/settings", Icon: Settings },
];

export interface RailProps {
  section: RailSection;
  /** Unread messages of the agent, over all conversations. */
  unread: number;
  /** Opens the inbox without loading a page. */
  inbox?: { href: string; open: () => void };
}

export function Rail({ section, unread, inbox }: RailProps) {
  const { singleKeys } = useWorkspace().preferences.value;
  return (
    <header class="rail">
      <Logo size={28} />
      <nav aria-label="Main">
        {ENTRIES.map(({ section: to, label, href, Icon }) => {
          const own = to === "inbox" ? inbox : undefined;
          return (
            <a
              key={to}
              class="rail-link"
              href={own?.href ?? href}
              aria-current={to === section ? "page" : undefined}
              data-tip={singleKeys ? `${label} G ${label[0]}` : label}
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
