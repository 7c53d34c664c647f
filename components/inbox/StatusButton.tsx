import { Check, ChevronDown, CircleDashed, RotateCcw } from "lucide-preact";
import type { Conversation } from "../../protocol/model.ts";
import { Button } from "../ui/Button.tsx";
import { Menu, MenuItem } from "../ui/Menu.tsx";
import { useInbox } from "./context.ts";

/** Resolve or Reopen, and a menu with the other statuses. */
export function StatusButton({ conversation }: { conversation: Conversation }) {
  const inbox = useInbox();
  const { id, status } = conversation;
  const open = status === "open" || status === "pending";
  const set = (to: Conversation["status"]) => () => inbox.setStatus(id, to);
  return (
    <div class="split">
      <Button
        size="s"
        kind={open ? "primary" : "plain"}
        icon={open
          ? <Check size={15} aria-hidden="true" />
          : <RotateCcw size={14} aria-hidden="true" />}
        aria-keyshortcuts="E"
        onClick={set(open ? "resolved" : "open")}
      >
        <span class="phone-unseen">{open ? "Resolve" : "Reopen"}</span>
      </Button>
      {open && (
        <Menu
          label="More statuses"
          align="end"
          trigger={(props) => (
            <button
              type="button"
              class="button"
              data-kind="primary"
              data-size="s"
              aria-label="More statuses"
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
                {status === "pending"
                  ? (
                    <MenuItem icon={<RotateCcw size={16} />} onSelect={choose("open")}>
                      Mark as open
                    </MenuItem>
                  )
                  : (
                    <MenuItem icon={<CircleDashed size={16} />} onSelect={choose("pending")}>
                      Mark as pending
                    </MenuItem>
                  )}
                <MenuItem icon={<Check size={16} />} note="E" onSelect={choose("resolved")}>
                  Resolve
                </MenuItem>
              </>
            );
          }}
        </Menu>
      )}
    </div>
  );
}
