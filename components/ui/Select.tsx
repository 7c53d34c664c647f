import type { JSX } from "preact";
import { ChevronDown } from "lucide-preact";
import { FieldFrame } from "./Field.tsx";

export interface SelectProps extends Omit<JSX.SelectHTMLAttributes<HTMLSelectElement>, "onChange"> {
  /** Also the prefix of the ids that link the hint and the error to the field. */
  id: string;
  label: string;
  hint?: string;
  error?: string;
  options: readonly { value: string; label: string }[];
  onChange: (value: string) => void;
}

/** One of several options, in the browser's own list. */
export function Select({ id, label, hint, error, options, onChange, ...select }: SelectProps) {
  return (
    <FieldFrame id={id} label={label} hint={hint} error={error}>
      {(describedBy) => (
        <>
          <select
            {...select}
            id={id}
            aria-invalid={error ? "true" : undefined}
            aria-describedby={describedBy ?? select["aria-describedby"]}
            onChange={(event) => onChange(event.currentTarget.value)}
          >
            {options.map((option) => (
              <option key={option.value} value={option.value}>{option.label}</option>
            ))}
          </select>
          <ChevronDown class="select-arrow" size={16} aria-hidden="true" />
        </>
      )}
    </FieldFrame>
  );
}
