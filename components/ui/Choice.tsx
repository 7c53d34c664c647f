import type { ComponentChildren } from "preact";

export interface ChoiceProps<T extends string> {
  /** The name of the group, read out with it. */
  label: string;
  /** For those who see the choice and know what it is about. */
  labelHidden?: boolean;
  name: string;
  value: T;
  options: readonly { value: T; label: string; icon?: ComponentChildren }[];
  onChange: (value: T) => void;
}

/** One of a few, side by side: radio buttons that look like the segments of the list's filter. */
export function Choice<T extends string>(
  { label, labelHidden, name, value, options, onChange }: ChoiceProps<T>,
) {
  return (
    <fieldset class="choice">
      <legend class={labelHidden ? "sr-only" : undefined}>{label}</legend>
      <div class="segments">
        {options.map((option) => (
          <label key={option.value}>
            <input
              type="radio"
              class="sr-only"
              name={name}
              value={option.value}
              checked={option.value === value}
              onChange={() => onChange(option.value)}
            />
            {option.icon}
            {option.label}
          </label>
        ))}
      </div>
    </fieldset>
  );
}
