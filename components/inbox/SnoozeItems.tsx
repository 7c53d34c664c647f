import { AlarmClock, CalendarClock } from "lucide-preact";
import { snoozeChoices } from "../format/snooze.ts";
import { shortTime } from "../format/time.ts";
import { MenuHeading, MenuItem } from "../ui/Menu.tsx";
import { useInbox } from "./context.ts";

export interface SnoozeItemsProps {
  heading: string;
  /** Called with the end; null: the next reply. */
  onChoose: (until: Date | null) => void;
  /** Called when the menu has to close. */
  close: () => void;
}

/** The choices of a menu that snoozes. */
export function SnoozeItems({ heading, onChoose, close }: SnoozeItemsProps) {
  const inbox = useInbox();
  const clock = inbox.clock.value;
  return (
    <>
      <MenuHeading>{heading}</MenuHeading>
      {snoozeChoices(new Date()).map(({ label, until }) => (
        <MenuItem
          key={label}
          icon={<AlarmClock size={16} />}
          note={until === null ? undefined : shortTime(until.toISOString(), clock)}
          onSelect={() => {
            close();
            onChoose(until);
          }}
        >
          {label}
        </MenuItem>
      ))}
      <MenuItem
        icon={<CalendarClock size={16} />}
        onSelect={() => {
          close();
          inbox.snoozePicker.value = onChoose;
        }}
      >
        Pick a date and time…
      </MenuItem>
    </>
  );
}
