import { CircleDot, Keyboard, LogOut, MoonStar } from "lucide-preact";
import { Avatar, presenceWord } from "../ui/Avatar.tsx";
import { Menu, MenuHeading, MenuItem, MenuLine } from "../ui/Menu.tsx";
import { useWorkspace } from "./context.ts";
import { THEMES } from "./themes.ts";

export function AccountMenu() {
  const workspace = useWorkspace();
  const user = workspace.me.value;
  const connected = workspace.connection.state.value === "connected";
  const status = connected ? workspace.ownStatus.value : "offline";
  return (
    <Menu
      label="Account"
      side="end"
      trigger={(props) => (
        <button
          type="button"
          class="rail-account"
          data-tip={user.name}
          data-tip-at="end"
          {...props}
        >
          {/* Not an aria-label: it would lack the visible letters (WCAG 2.5.3). */}
          <span class="sr-only">
            Account of <bdi>{user.name}</bdi>, {presenceWord(status)}
          </span>
          <span aria-hidden="true">
            <Avatar id={user.id} name={user.name} shape="team" presence={status} />
          </span>
        </button>
      )}
    >
      {(close) => (
        <>
          <div class="menu-person" role="presentation">
            <Avatar id={user.id} name={user.name} shape="team" />
            <div>
              <strong class="truncate" dir="auto">{user.name}</strong>
              <span class="truncate" dir="auto">{user.email}</span>
            </div>
          </div>
          <MenuLine />
          <MenuItem
            icon={<CircleDot size={16} />}
            checked={workspace.ownStatus.value === "online"}
            onSelect={() => workspace.setOwnStatus("online")}
          >
            Online
          </MenuItem>
          <MenuItem
            icon={<MoonStar size={16} />}
            checked={workspace.ownStatus.value === "away"}
            onSelect={() => workspace.setOwnStatus("away")}
          >
            Away
          </MenuItem>
          <MenuLine />
          <MenuHeading>Theme</MenuHeading>
          <div class="segments" role="group" aria-label="Theme">
            {THEMES.map(({ value, label, Icon }) => (
              <button
                key={value}
                type="button"
                role="menuitemradio"
                tabIndex={-1}
                aria-checked={workspace.theme.value === value ? "true" : "false"}
                onClick={() => workspace.setTheme(value)}
              >
                <Icon size={14} aria-hidden="true" />
                {label}
              </button>
            ))}
          </div>
          <MenuLine />
          <MenuItem
            icon={<Keyboard size={16} />}
            note="?"
            onSelect={() => {
              close();
              workspace.helpOpen.value = true;
            }}
          >
            Keyboard shortcuts
          </MenuItem>
          <MenuItem icon={<LogOut size={16} />} onSelect={workspace.signOut}>Sign out</MenuItem>
        </>
      )}
    </Menu>
  );
}
