import { useState } from "preact/hooks";
import { etagOf } from "../../protocol/etag.ts";
import type { Label, LabelColor } from "../../protocol/model.ts";
import { useForm } from "../auth/form_state.ts";
import { LABEL_COLORS } from "../live/labels.ts";
import { ApiError } from "../live/api.ts";
import { MAX_LABEL_DESCRIPTION, MAX_LABEL_NAME } from "../live/limits.ts";
import { useWorkspace } from "../shell/context.ts";
import { Area } from "../ui/Area.tsx";
import { Button } from "../ui/Button.tsx";
import { Field } from "../ui/Field.tsx";
import { LabelChip, LabelDot } from "../ui/LabelChip.tsx";
import { Notice } from "../ui/Notice.tsx";

/** A form for a new or an existing label. */
export function LabelForm({ label, firstColor, onDone, onStale, onClose }: {
  label: Label | null;
  firstColor: LabelColor;
  onDone: (label: Label) => void;
  /** The label on the server has changed, or does not exist any more. */
  onStale: () => void;
  onClose: () => void;
}) {
  const { request } = useWorkspace();
  const [name, setName] = useState(label?.name ?? "");
  const [color, setColor] = useState(label?.color ?? firstColor);
  const { form, errors, busy, onSubmit } = useForm(
    ["name", "description"],
    ({ name }): Record<string, string> => name?.trim() ? {} : { name: "Enter a name." },
    async ({ name, description }) => {
      const body = { name, color, description: description?.trim() || null };
      try {
        onDone(
          label === null
            ? await request<Label>("/api/labels", { method: "POST", body })
            : await request<Label>(`/api/labels/${label.id}`, {
              method: "PATCH",
              body,
              ifMatch: etagOf(label),
            }),
        );
      } catch (error) {
        throw refusalOf(error, onStale);
      }
    },
    { leaves: false },
  );
  return (
    <form class="dialog-form" ref={form} noValidate onSubmit={onSubmit} aria-label="Label">
      <Field
        id="label-name"
        autofocus
        name="name"
        label="Name"
        value={name}
        autocomplete="off"
        maxLength={MAX_LABEL_NAME}
        error={errors.fields.name}
        onInput={(event) => setName(event.currentTarget.value)}
      />
      <fieldset class="swatches">
        <legend>Colour</legend>
        <div>
          {LABEL_COLORS.map(({ value, word }) => (
            <label key={value} data-label={value} title={word}>
              <input
                type="radio"
                class="sr-only"
                name="color"
                value={value}
                aria-label={word}
                checked={value === color}
                onChange={() => setColor(value)}
              />
              <LabelDot color={value} />
            </label>
          ))}
        </div>
      </fieldset>
      <Area
        id="label-description"
        name="description"
        label="Description (optional)"
        hint="When to use it. Your colleagues see it when they choose a label."
        rows={2}
        maxLength={MAX_LABEL_DESCRIPTION}
        defaultValue={label?.description ?? ""}
        error={errors.fields.description}
      />
      <div class="label-preview" aria-hidden="true">
        <LabelChip name={name.trim() || "Name"} color={color} />
      </div>
      <div aria-live="assertive">{errors.form && <Notice>{errors.form}</Notice>}</div>
      <div class="dialog-actions">
        <Button kind="quiet" onClick={onClose}>Cancel</Button>
        <Button type="submit" kind="primary" busy={busy}>
          {label === null ? "Add label" : "Save"}
        </Button>
      </div>
    </form>
  );
}

/** The errors of the server in the words of this form. */
function refusalOf(error: unknown, onStale: () => void): unknown {
  if (!(error instanceof ApiError)) return error;
  if (error.code === "conflict" && error.fields.length > 0) {
    const message = "A label with this name already exists.";
    return new ApiError(422, { fields: [{ path: "name", message }] });
  }
  if (error.status !== 404 && error.status !== 412) return error;
  onStale();
  return new ApiError(error.status, {
    code: error.code,
    detail: error.status === 404
      ? "Somebody else has just deleted this label."
      : "Somebody else has just changed this label. Close this and look at what they did.",
  });
}
