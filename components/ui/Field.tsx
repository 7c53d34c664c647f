import type { ComponentChildren, JSX, Ref } from "preact";
import { CircleAlert } from "lucide-preact";

export interface FieldProps extends JSX.InputHTMLAttributes<HTMLInputElement> {
  /** Also the prefix of the ids that link the hint and the error to the input. */
  id: string;
  label: string;
  hint?: string;
  error?: string;
  /** A button inside the box, e.g. show password. */
  trailing?: ComponentChildren;
  /** Beside the box, e.g. a colour. */
  leading?: ComponentChildren;
  inputRef?: Ref<HTMLInputElement>;
}

export function Field(
  { id, label, hint, error, trailing, leading, inputRef, ...input }: FieldProps,
) {
  return (
    <FieldFrame id={id} label={label} hint={hint} error={error} trailing={trailing}>
      {(describedBy) => (
        <>
          {leading}
          <input
            dir="auto"
            {...input}
            id={id}
            ref={inputRef}
            aria-invalid={error ? "true" : undefined}
            aria-describedby={describedBy}
          />
        </>
      )}
    </FieldFrame>
  );
}

export interface FieldFrameProps extends Pick<FieldProps, "id" | "label" | "hint" | "error"> {
  trailing?: ComponentChildren;
  /** Renders the control; gets the value of its `aria-describedby`. */
  children: (describedBy: string | undefined) => ComponentChildren;
}

/** The label above a control, and the hint or the error below it. */
export function FieldFrame({ id, label, hint, error, trailing, children }: FieldFrameProps) {
  // The error replaces the hint.
  const describedBy = error ? `${id}-error` : hint ? `${id}-hint` : undefined;
  return (
    <div class="field" data-trailing={trailing ? "" : undefined}>
      <label for={id}>{label}</label>
      <div class="field-box">
        {children(describedBy)}
        {trailing && <span class="field-trailing">{trailing}</span>}
      </div>
      {hint && !error && <p class="field-hint" id={`${id}-hint`}>{hint}</p>}
      {error && (
        <p class="field-error" id={`${id}-error`}>
          <CircleAlert size={16} aria-hidden="true" />
          {error}
        </p>
      )}
    </div>
  );
}
