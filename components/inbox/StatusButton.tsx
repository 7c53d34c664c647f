import { Check, ChevronDown, CircleDashed, MailOpen, RotateCcw } from "lucide-preact";
import type { Conversation } from "../../protocol/model.ts";
import { Button } from "../ui/Button.tsx";
import { Menu, MenuItem, MenuLine } from "../ui/Menu.tsx";
import { useInbox } from "./context.ts";
import { SnoozeItems } from "./SnoozeItems.tsx";

/** Resolve or Reopen, and a menu with the other statuses. */
export function StatusButton({ conversation }: { conversation: Conversation }) {
  const inbox = useInbox();
  const { id, status } = conversation;
  const open = status === "open" || status === "pending";
  const kind = open ? "primary" : "plain";
  const set = (to: Conversation["status"]) => () => inbox.setStatus(id, to);
  return (
    <div class="split">
      <Button
        size="s"
        kind={kind}
        icon={open
          ? <Check size={15} aria-hidden="true" />
          : <RotateCcw size={14} aria-hidden="true" />}
        aria-keyshortcuts="E"
        onClick={set(open ? "resolved" : "open")}
      >
        <span class="phone-unseen">{open ? "Resolve" : "Reopen"}</span>
      </Button>
      <Menu
        label="More statuses"
        align="end"
        trigger={(props) => (
          <button
            type="button"
            class="button"
            data-kind={kind}
            data-size="s"
            aria-label="Snooze, and more statuses"
            aria-keyshortcuts="S"
            {...props}
          >
            <ChevronDown size={14} aria-hidden="true" />
          </button>
        )}
      >
        {(close) => {
          const choose = (to: Conversation["status"]) => () => {
            close();
            set(to)();
          };
          return (
            <>
              <SnoozeItems
                heading="Snooze until"
                close={close}
                onChoose={(until) => inbox.snooze(id, until)}
              />
              <MenuLine />
              {status === "open"
                ? (
                  <MenuItem icon={<CircleDashed size={16} />} onSelect={choose("pending")}>
                    Mark as pending
                  </MenuItem>
                )
                : (
                  <MenuItem icon={<RotateCcw size={16} />} onSelect={choose("open")}>
                    Mark as open
                  </MenuItem>
                )}
              <MenuItem
                icon={<MailOpen size={16} />}
                note="U"
                onSelect={() => {
                  close();
                  inbox.markUnread(id);
                }}
              >
                Mark as unread
              </MenuItem>
              {status !== "resolved" && (
                <MenuItem icon={<Check size={16} />} note="E" onSelect={choose("resolved")}>
                  Resolve
                </MenuItem>
              )}
            </>
          );
        }}
      </Menu>
    </div>
  );
}
