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

/** The pages of the settings, as their list and the command palette show them. */
export const SETTINGS_PAGES = [
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
