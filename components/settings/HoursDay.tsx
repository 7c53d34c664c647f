import { useRef } from "preact/hooks";
import { CircleAlert, Copy, Plus, X } from "lucide-preact";
import { IconButton } from "../ui/Button.tsx";
import { Menu, MenuHeading, MenuItem } from "../ui/Menu.tsx";
import {
  DAYS,
  type HoursErrors,
  type Interval,
  MAX_INTERVALS,
  nextInterval,
} from "./hours_draft.ts";

const WEEKDAYS = [0, 1, 2, 3, 4];
const EVERY_DAY = [0, 1, 2, 3, 4, 5, 6];

export interface HoursDayProps {
  /** 0 for Monday. */
  index: number;
  day: Interval[];
  errors: HoursErrors;
  locked: boolean;
  onChange: (day: Interval[]) => void;
  onCopy: (to: readonly number[]) => void;
}

/** One day of the week with its hours. */
export function HoursDay({ index, day, errors, locked, onChange, onCopy }: HoursDayProps) {
  const root = useRef<HTMLLIElement>(null);
  const name = DAYS[index]!;
  const focus = (selector: string) =>
    requestAnimationFrame(() => root.current?.querySelector<HTMLElement>(selector)?.focus());
  const add = () => {
    const next = nextInterval(day);
    onChange([...day, next]);
    focus(`[data-field="${index}.${next.key}"]`);
  };
  const remove = (key: number) => {
    onChange(day.filter((one) => one.key !== key));
    focus(day.length > 1 ? ".hours-tools button" : 'input[type="checkbox"]');
  };
  return (
    <li class="hours-day" ref={root} aria-label={name}>
      <label class="hours-name">
        <input
          type="checkbox"
          checked={day.length > 0}
          onChange={(event) => onChange(event.currentTarget.checked ? [nextInterval([])] : [])}
        />
        {name}
      </label>
      <div class="hours-intervals">
        {day.length === 0 && <span class="hours-closed">Closed</span>}
        {day.map((one, at) => (
          <IntervalFields
            key={one.key}
            one={one}
            field={`${index}.${one.key}`}
            label={day.length === 1 ? name : `${name}, ${at + 1}`}
            error={errors[`${index}.${one.key}`]}
            locked={locked}
            onChange={(next) => onChange(day.map((other) => other.key === one.key ? next : other))}
            onRemove={() => remove(one.key)}
          />
        ))}
      </div>
      {!locked && day.length > 0 && (
        <div class="hours-tools">
          {day.length < MAX_INTERVALS && (
            <IconButton label={`Add hours on ${name}`} size="s" tipAt="start" onClick={add}>
              <Plus size={16} aria-hidden="true" />
            </IconButton>
          )}
          <CopyMenu index={index} onCopy={onCopy} />
        </div>
      )}
    </li>
  );
}

function IntervalFields({ one, field, label, error, locked, onChange, onRemove }: {
  one: Interval;
  field: string;
  label: string;
  error: string | undefined;
  locked: boolean;
  onChange: (next: Interval) => void;
  onRemove: () => void;
}) {
  const problem = error === undefined ? {} : {
    "aria-invalid": "true" as const,
    "aria-describedby": `hours-${field}-error`,
  };
  return (
    <div class="field">
      <div class="hours-interval">
        <input
          type="time"
          data-field={field}
          aria-label={`${label}: from`}
          value={one.from}
          {...problem}
          onInput={(event) => onChange({ ...one, from: event.currentTarget.value })}
        />
        <span aria-hidden="true">–</span>
        <input
          type="time"
          aria-label={`${label}: to`}
          value={one.to}
          {...problem}
          onInput={(event) => onChange({ ...one, to: event.currentTarget.value })}
        />
        {!locked && (
          <IconButton label={`Remove ${label}`} size="s" tipAt="start" onClick={onRemove}>
            <X size={16} aria-hidden="true" />
          </IconButton>
        )}
      </div>
      {error && (
        <p class="field-error" id={`hours-${field}-error`}>
          <CircleAlert size={16} aria-hidden="true" />
          {error}
        </p>
      )}
    </div>
  );
}

function CopyMenu({ index, onCopy }: Pick<HoursDayProps, "index" | "onCopy">) {
  const name = DAYS[index]!;
  return (
    <Menu
      label={`Copy ${name}`}
      align="end"
      side={index < 4 ? "bottom" : "top"}
      trigger={(props) => (
        <IconButton label={`Copy ${name} to other days`} size="s" tipAt="start" {...props}>
          <Copy size={15} aria-hidden="true" />
        </IconButton>
      )}
    >
      {(close) => {
        const item = (label: string, to: readonly number[]) => (
          <MenuItem
            key={label}
            onSelect={() => {
              onCopy(to.filter((day) => day !== index));
              close();
            }}
          >
            {label}
          </MenuItem>
        );
        return (
          <>
            <MenuHeading>{`Copy ${name} to`}</MenuHeading>
            {item("Monday to Friday", WEEKDAYS)}
            {item("Every day", EVERY_DAY)}
            {EVERY_DAY.filter((day) => day !== index).map((day) => item(DAYS[day]!, [day]))}
          </>
        );
      }}
    </Menu>
  );
}
