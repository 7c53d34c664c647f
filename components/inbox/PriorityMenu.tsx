import { ChevronDown } from "lucide-preact";
import type { Conversation } from "../../protocol/model.ts";
import { Menu, MenuItem } from "../ui/Menu.tsx";
import { useInbox } from "./context.ts";
import { PRIORITIES, PriorityIcon, priorityWord } from "./priorities.tsx";

export function PriorityMenu({ conversation }: { conversation: Conversation }) {
  const inbox = useInbox();
  const { id, priority = "none" } = conversation;
  return (
    <Menu
      label="Priority"
      align="start"
      trigger={(props) => (
        <button
          type="button"
          class="button fact-button"
          data-kind="quiet"
          data-size="s"
          aria-keyshortcuts="P"
          {...props}
        >
          <PriorityIcon priority={priority} />
          <span class="sr-only">Priority:</span>
          {priorityWord(priority)}
          <ChevronDown size={14} aria-hidden="true" />
        </button>
      )}
    >
      {(close) =>
        PRIORITIES.map(({ value, label }) => (
          <MenuItem
            key={value}
            icon={<PriorityIcon priority={value} />}
            checked={priority === value}
            onSelect={() => {
              close();
              if (value !== priority) inbox.setPriority(id, value);
            }}
          >
            {label}
          </MenuItem>
        ))}
    </Menu>
  );
}
