import type { JSX } from "preact";
import { FieldFrame } from "./Field.tsx";

export interface AreaProps extends JSX.TextareaHTMLAttributes<HTMLTextAreaElement> {
  /** Also the prefix of the ids that link the hint and the error to the field. */
  id: string;
  label: string;
  hint?: string;
  error?: string;
}

/** A field with several lines. */
export function Area({ id, label, hint, error, ...area }: AreaProps) {
  return (
    <FieldFrame id={id} label={label} hint={hint} error={error}>
      {(describedBy) => (
        <textarea
          rows={3}
          dir="auto"
          {...area}
          id={id}
          aria-invalid={error ? "true" : undefined}
          aria-describedby={describedBy}
        />
      )}
    </FieldFrame>
  );
}
