import { useRef, useState } from "preact/hooks";
import { ApiError, errorText } from "../live/api.ts";

export interface FormErrors {
  /** By the name of the field. */
  fields: Record<string, string>;
  /** The error of the whole form. */
  form: string | null;
}

export const NO_ERRORS: FormErrors = { fields: {}, form: null };

/** Turns "must have at least 10 characters" into a sentence to show under its field. */
export function sentence(text: string): string {
  const first = text.charAt(0).toLocaleUpperCase("en") + text.slice(1);
  return /[.!?]$/.test(first) ? first : `${first}.`;
}

/** Assigns the errors of a failed call to fields; those of no known field are the form's. */
export function formErrors(error: unknown, names: readonly string[]): FormErrors {
  if (!(error instanceof ApiError) || error.fields.length === 0) {
    return { fields: {}, form: errorText(error) };
  }
  const fields: Record<string, string> = {};
  let form: string | null = null;
  for (const { path, message } of error.fields) {
    if (names.includes(path)) fields[path] ??= sentence(message);
    else form ??= sentence(message);
  }
  return { fields, form };
}

/**
 * Submits a form. `submit` gets the named values and throws on failure; `check` may find errors
 * before. After a failure the first invalid field gets the focus.
 */
export function useForm(
  names: readonly string[],
  check: (values: Record<string, string>) => Record<string, string>,
  submit: (values: Record<string, string>) => Promise<void>,
  /** Whether success leads to another page. Then the form stays busy until that page is loaded. */
  { leaves = true }: { leaves?: boolean } = {},
) {
  const [errors, setErrors] = useState(NO_ERRORS);
  const [busy, setBusy] = useState(false);
  const form = useRef<HTMLFormElement>(null);

  const fail = (found: FormErrors) => {
    setErrors(found);
    const bad = names.find((name) => found.fields[name] !== undefined);
    if (bad === undefined) return;
    requestAnimationFrame(() => (form.current?.elements.namedItem(bad) as HTMLElement)?.focus());
  };

  const onSubmit = async (event: Event) => {
    event.preventDefault();
    if (busy || form.current === null) return;
    const data = new FormData(form.current);
    const values = Object.fromEntries(names.map((name) => [name, String(data.get(name) ?? "")]));
    const fields = check(values);
    if (Object.keys(fields).length > 0) return fail({ fields, form: null });
    setErrors(NO_ERRORS);
    setBusy(true);
    try {
      await submit(values);
      if (!leaves) setBusy(false);
    } catch (error) {
      setBusy(false);
      fail(formErrors(error, names));
    }
  };
  return { form, errors, busy, onSubmit };
}
