/** What can be done on every page: going to another one, and what concerns the agent. */
import {
  Bell,
  ChartLine,
  CircleDot,
  ContactRound,
  FlaskConical,
  Inbox,
  Keyboard,
  LogOut,
  MessageSquareCode,
  MoonStar,
  Settings,
  Store,
  Workflow,
} from "lucide-preact";
import { navigate } from "../live/page_navigation.ts";
import type { WorkspaceModel } from "../live/workspace_model.ts";
import { SETTINGS_PAGES } from "../settings/pages.ts";
import { press } from "../shell/keys.ts";
import { THEMES } from "../shell/themes.ts";
import type { Command } from "./commands.ts";

const PAGES: [title: string, href: string, Icon: Command["Icon"], keys?: string][] = [
  ["Inbox", "/", Inbox, "G I"],
  ["Contacts", "/contacts", ContactRound, "G C"],
  ["Analytics", "/analytics", ChartLine, "G A"],
  ["Rules", "/rules", Workflow, "G R"],
  ["Widgets", "/widgets", MessageSquareCode, "G W"],
  ["Settings", "/settings", Settings, "G S"],
];

export function pageCommands(workspace: WorkspaceModel): Command[] {
  const go = (title: string, href: string, Icon: Command["Icon"], keys?: string): Command => ({
    id: href,
    group: "Go to",
    title,
    words: "go to open page",
    keys,
    Icon,
    run: () => navigate(href),
  });
  const { ownStatus, theme, preferences } = workspace;
  const { singleKeys } = preferences.value;
  const own = (
    title: string,
    Icon: Command["Icon"],
    run: () => void,
    more: Partial<Command> = {},
  ): Command => ({ id: title, group: "You", title, Icon, run, ...more });
  return [
    ...PAGES.map((page) => go(...page)),
    ...SETTINGS_PAGES.map(({ path, label, Icon }) => ({
      ...go(`Settings: ${label}`, path, Icon),
      isDeep: true,
    })),
    { ...go("Delivery figures", "/analytics/delivery", ChartLine), isDeep: true },
    { ...go("WebSocket test", "/websocket-test", FlaskConical), isDeep: true },
    {
      ...go("Demo site", "/demo", Store),
      isDeep: true,
      run: () => void open("/demo", "_blank", "noopener"),
    },
    own("Notifications", Bell, () => press("B"), { keys: "B" }),
    ownStatus.value === "online"
      ? own("Set yourself to away", MoonStar, () => workspace.setOwnStatus("away"))
      : own("Set yourself to online", CircleDot, () => workspace.setOwnStatus("online")),
    ...THEMES.filter(({ value }) => value !== theme.value).map(({ value, label, Icon }) =>
      own(`Theme: ${label}`, Icon, () => workspace.setTheme(value), {
        words: "colours dark light appearance",
        isDeep: true,
      })
    ),
    own("Keyboard shortcuts", Keyboard, () => workspace.helpOpen.value = true, {
      words: "keys help",
      keys: "?",
    }),
    own(
      singleKeys ? "Switch single-key shortcuts off" : "Switch single-key shortcuts on",
      Keyboard,
      () => void workspace.setPreferences({ singleKeys: !singleKeys }),
      { isDeep: true },
    ),
    own("Sign out", LogOut, () => workspace.signOut()),
  ];
}
