import type { ComponentChildren } from "preact";

export interface ChoiceProps<T extends string> {
  /** The accessible name of the group. */
  label: string;
  /** Whether the name is hidden visually, where the context makes it clear. */
  labelHidden?: boolean;
  name: string;
  value: T;
  options: readonly { value: T; label: string; icon?: ComponentChildren }[];
  onChange: (value: T) => void;
}

/** A choice between a few options: radio buttons in the style of segments. */
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
