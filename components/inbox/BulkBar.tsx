import type { ComponentChildren } from "preact";
import {
  AlarmClock,
  Check,
  Mail,
  MailOpen,
  Tag,
  UserMinus,
  UserPlus,
  Users,
  X,
} from "lucide-preact";
import { Avatar } from "../ui/Avatar.tsx";
import { Button, IconButton } from "../ui/Button.tsx";
import { LabelDot } from "../ui/LabelChip.tsx";
import { Menu, MenuHeading, MenuItem, MenuLine, type MenuTriggerProps } from "../ui/Menu.tsx";
import { useInbox } from "./context.ts";
import { SnoozeItems } from "./SnoozeItems.tsx";

/** What can be done with the selected conversations. Loaded when there are some. */
export default function BulkBar() {
  const { bulk, list } = useInbox();
  const count = bulk.selected.value.length;
  const loaded = list.visible.value.length;
  return (
    <div class="bulk-bar" role="toolbar" aria-label="Selected conversations">
      <p class="bulk-count">
        <IconButton label="Clear the selection" shortcut="Esc" size="s" onClick={bulk.clear}>
          <X size={16} />
        </IconButton>
        <strong>{count} selected</strong>
        {count < loaded && (
          <Button size="s" kind="quiet" onClick={bulk.all}>Select all {loaded}</Button>
        )}
      </p>
      <div class="bulk-actions">
        <Button
          size="s"
          kind="primary"
          busy={bulk.busy.value}
          icon={<Check size={15} aria-hidden="true" />}
          aria-keyshortcuts="E"
          onClick={bulk.resolve}
        >
          Resolve
        </Button>
        <Menu
          label="Snooze"
          align="start"
          trigger={trigger("Snooze", <AlarmClock size={16} />, "S")}
        >
          {(close) => <SnoozeItems heading="Snooze until" close={close} onChoose={bulk.snooze} />}
        </Menu>
        <AssignMenu />
        <LabelMenu />
        <IconButton label="Mark as read" size="s" onClick={() => bulk.mark("read")}>
          <MailOpen size={16} />
        </IconButton>
        <IconButton label="Mark as unread" size="s" onClick={() => bulk.mark("unread")}>
          <Mail size={16} />
        </IconButton>
      </div>
    </div>
  );
}

function trigger(label: string, icon: ComponentChildren, shortcut?: string) {
  return (props: MenuTriggerProps) => (
    <IconButton label={label} shortcut={shortcut} size="s" {...props}>{icon}</IconButton>
  );
}

function AssignMenu() {
  const { bulk, user, users, teams } = useInbox();
  const others = users.value.filter((one) => one.disabledAt === null && one.id !== user.id);
  return (
    <Menu label="Assign to" align="end" trigger={trigger("Assign", <UserPlus size={16} />)}>
      {(close) => (
        <>
          <MenuHeading>Assign to</MenuHeading>
          {[user, ...others].map((one) => (
            <MenuItem
              key={one.id}
              icon={<Avatar id={one.id} name={one.name} size="s" shape="team" />}
              onSelect={() => {
                close();
                void bulk.assign(one);
              }}
            >
              {one.name}
              {one.id === user.id && " (you)"}
            </MenuItem>
          ))}
          {teams.value.length > 0 && (
            <>
              <MenuLine />
              <MenuHeading>Teams</MenuHeading>
              {teams.value.map((one) => (
                <MenuItem
                  key={one.id}
                  icon={<Users size={16} />}
                  onSelect={() => {
                    close();
                    void bulk.giveToTeam(one);
                  }}
                >
                  <bdi>{one.name}</bdi>
                </MenuItem>
              ))}
            </>
          )}
          <MenuLine />
          <MenuItem
            icon={<UserMinus size={16} />}
            onSelect={() => {
              close();
              void bulk.assign(null);
            }}
          >
            Unassign
          </MenuItem>
        </>
      )}
    </Menu>
  );
}

/** A label that all of them have is removed, another one is added. */
function LabelMenu() {
  const { bulk, labels } = useInbox();
  const all = labels.all.value;
  if (all.length === 0) return null;
  const has = (id: string) =>
    bulk.selected.value.every((one) => one.labels?.some((label) => label.id === id));
  return (
    <Menu label="Labels" align="end" trigger={trigger("Label", <Tag size={16} />)}>
      {(close) =>
        all.map((label) => (
          <MenuItem
            key={label.id}
            icon={<LabelDot color={label.color} />}
            checked={has(label.id)}
            onSelect={() => {
              close();
              void bulk.label(label, has(label.id));
            }}
          >
            {label.name}
          </MenuItem>
        ))}
    </Menu>
  );
}
