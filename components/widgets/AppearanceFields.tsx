import { Check, TriangleAlert } from "lucide-preact";
import type { WidgetAppearance } from "../../protocol/model.ts";
import { Area } from "../ui/Area.tsx";
import { Choice } from "../ui/Choice.tsx";
import { Field } from "../ui/Field.tsx";
import { accentHint, isHex, readHex } from "./accent.ts";
import type { DraftErrors } from "./draft.ts";

export interface AppearanceFieldsProps {
  appearance: WidgetAppearance;
  errors: DraftErrors;
  onChange: (change: Partial<WidgetAppearance>) => void;
}

const SIDES = [{ value: "left", label: "Left" }, { value: "right", label: "Right" }] as const;

/** The look and the texts of the chat. The lengths are those of protocol/model.ts. */
export function AppearanceFields({ appearance, errors, onChange }: AppearanceFieldsProps) {
  return (
    <>
      <Field
        id="appearance-title"
        data-field="appearance.title"
        label="Title"
        value={appearance.title}
        maxLength={60}
        autocomplete="off"
        error={errors["appearance.title"]}
        onInput={(event) => onChange({ title: event.currentTarget.value })}
      />
      <Area
        id="appearance-greeting"
        data-field="appearance.greeting"
        label="Greeting"
        hint="The first thing a visitor reads."
        value={appearance.greeting}
        maxLength={300}
        error={errors["appearance.greeting"]}
        onInput={(event) => onChange({ greeting: event.currentTarget.value })}
      />
      <AccentField
        accent={appearance.accent}
        error={errors["appearance.accent"]}
        onChange={(accent) => onChange({ accent })}
      />
      <Choice
        label="Corner of the page"
        name="position"
        value={appearance.position}
        options={SIDES}
        onChange={(position) => onChange({ position })}
      />
      <Field
        id="appearance-launcher"
        data-field="appearance.launcherLabel"
        label="Button"
        hint="Empty: the button is only an icon."
        value={appearance.launcherLabel}
        maxLength={40}
        autocomplete="off"
        error={errors["appearance.launcherLabel"]}
        onInput={(event) => onChange({ launcherLabel: event.currentTarget.value })}
      />
      <Field
        id="appearance-placeholder"
        data-field="appearance.placeholder"
        label="Hint in the message field"
        value={appearance.placeholder}
        maxLength={60}
        autocomplete="off"
        error={errors["appearance.placeholder"]}
        onInput={(event) => onChange({ placeholder: event.currentTarget.value })}
      />
    </>
  );
}

function AccentField({ accent, error, onChange }: {
  accent: string;
  error: string | undefined;
  onChange: (accent: string) => void;
}) {
  const hint = isHex(accent) ? accentHint(accent) : null;
  return (
    <div class="accent-field">
      <Field
        id="appearance-accent"
        data-field="appearance.accent"
        label="Colour"
        class="mono"
        value={accent}
        maxLength={7}
        autocomplete="off"
        spellcheck={false}
        error={error}
        leading={
          <input
            type="color"
            aria-label="Choose the colour"
            value={isHex(accent) ? accent.toLowerCase() : "#000000"}
            onInput={(event) => onChange(event.currentTarget.value)}
          />
        }
        onInput={(event) => onChange(event.currentTarget.value)}
        onBlur={() => onChange(readHex(accent))}
      />
      <p class="accent-hint" data-tone={hint?.tone} role="status">
        {hint && !error && (
          <>
            {hint.tone === "warn"
              ? <TriangleAlert size={14} aria-hidden="true" />
              : <Check size={14} aria-hidden="true" />}
            {hint.text}
          </>
        )}
      </p>
    </div>
  );
}
