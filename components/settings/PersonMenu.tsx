import {
  Ellipsis,
  KeyRound,
  MonitorSmartphone,
  ShieldCheck,
  UserRound,
  UserRoundCheck,
  UserRoundX,
} from "lucide-preact";
import type { User } from "../../protocol/model.ts";
import { IconButton } from "../ui/Button.tsx";
import { Menu, MenuHeading, MenuItem, MenuLine } from "../ui/Menu.tsx";
import type { PersonTask } from "./PersonDialog.tsx";
import { isolate } from "../../protocol/visible_text.ts";

/** The actions of an admin on a person. Each opens a dialog that names the consequences. */
export function PersonMenu({ person, own, onTask }: {
  person: User;
  own: boolean;
  onTask: (task: PersonTask) => void;
}) {
  const disabled = person.disabledAt !== null;
  return (
    <Menu
      label={`Change ${isolate(person.name)}`}
      align="end"
      trigger={(props) => (
        <IconButton label={`Change ${isolate(person.name)}`} tipAt="start" {...props}>
          <Ellipsis size={16} />
        </IconButton>
      )}
    >
      {(close) => {
        const choose = (kind: PersonTask["kind"]) => () => {
          // The focus returns to the menu's button, and after the dialog it returns there again.
          close();
          onTask({ kind, person });
        };
        return (
          <>
            <MenuHeading>Role</MenuHeading>
            <MenuItem
              icon={<UserRound size={16} />}
              checked={person.role === "agent"}
              onSelect={person.role === "agent" ? close : choose("agent")}
            >
              Agent
            </MenuItem>
            <MenuItem
              icon={<ShieldCheck size={16} />}
              checked={person.role === "admin"}
              onSelect={person.role === "admin" ? close : choose("admin")}
            >
              Admin
            </MenuItem>
            <MenuLine />
            {!own && !disabled && (
              <MenuItem icon={<MonitorSmartphone size={16} />} onSelect={choose("sign-ins")}>
                Sign-ins…
              </MenuItem>
            )}
            {!own && (
              <MenuItem icon={<KeyRound size={16} />} onSelect={choose("password")}>
                New password…
              </MenuItem>
            )}
            {disabled
              ? (
                <MenuItem icon={<UserRoundCheck size={16} />} onSelect={choose("enable")}>
                  Enable
                </MenuItem>
              )
              : (
                <MenuItem icon={<UserRoundX size={16} />} onSelect={choose("disable")}>
                  Disable…
                </MenuItem>
              )}
          </>
        );
      }}
    </Menu>
  );
}
