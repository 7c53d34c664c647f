import { useRef, useState } from "preact/hooks";
import { Clock } from "lucide-preact";
import type { BusinessHours } from "../../protocol/analytics.ts";
import { sentence } from "../auth/form_state.ts";
import { ApiError, errorText } from "../live/api.ts";
import { useWorkspace } from "../shell/context.ts";
import { Choice } from "../ui/Choice.tsx";
import { Notice } from "../ui/Notice.tsx";
import { SaveBar } from "../ui/SaveBar.tsx";
import { Section } from "../ui/Section.tsx";
import { Select } from "../ui/Select.tsx";
import { HoursDay } from "./HoursDay.tsx";
import {
  copyTo,
  DAYS,
  draftOf,
  errorsByField,
  errorsOf,
  type HoursDraft,
  type HoursErrors,
  hoursOf,
  stateText,
} from "./hours_draft.ts";

const MODES = [
  { value: "always", label: "Always open" },
  { value: "hours", label: "Custom hours" },
] as const;

/** The business hours, saved as a whole. */
export function BusinessHoursSettings({ hours, zones }: {
  hours: BusinessHours;
  zones: string[];
}) {
  const { user, clock } = useWorkspace();
  const locked = user.role !== "admin";
  const { draft, errors, busy, dirty, form, change, choose, reset, save } = useHours(hours);
  const wrong = Object.keys(errorsOf(draft)).length > 0;
  return (
    <form ref={form} class="hours" noValidate onSubmit={save} aria-label="Business hours">
      {locked && <Notice tone="plain">Only admins can change the business hours.</Notice>}
      <fieldset class="bare" disabled={locked}>
        <Section
          id="open"
          title="Open"
          lead="Response and resolution times count only while you are open. Past values do not change."
        >
          <Choice
            label="When you are open"
            labelHidden
            name="mode"
            value={draft.always ? "always" : "hours"}
            options={MODES}
            onChange={choose}
          />
          <p class="hours-now" aria-live="polite">
            <Clock size={15} aria-hidden="true" />
            {wrong ? "The hours are not complete yet" : stateText(hoursOf(draft), clock.value.now)}
            {dirty && !wrong && <span>with these changes</span>}
          </p>
        </Section>
        {!draft.always && (
          <>
            <Section
              id="zone"
              title="Where you are"
              lead="The hours follow the local time there, with daylight saving."
            >
              <Select
                id="time-zone"
                data-field="timeZone"
                label="Time zone"
                value={draft.timeZone}
                error={errors.timeZone}
                options={(zones.includes(draft.timeZone) ? zones : [draft.timeZone, ...zones])
                  .map((zone) => ({ value: zone, label: zone.replaceAll("_", " ") }))}
                onChange={(timeZone) => change({ timeZone })}
              />
            </Section>
            <Section id="week" title="Week" lead="A day can have breaks. Midnight is 00:00.">
              <ul class="hours-days">
                {DAYS.map((_, index) => (
                  <HoursDay
                    key={index}
                    index={index}
                    day={draft.days[index]!}
                    errors={errors}
                    locked={locked}
                    onChange={(day) => change({ days: draft.days.with(index, day) })}
                    onCopy={(to) => change({ days: copyTo(draft.days, index, to) })}
                  />
                ))}
              </ul>
              <div aria-live="assertive">{errors.days && <Notice>{errors.days}</Notice>}</div>
            </Section>
          </>
        )}
      </fieldset>
      <SaveBar dirty={dirty} busy={busy} error={errors[""] ?? null} onDiscard={reset} />
    </form>
  );
}

function useHours(first: BusinessHours) {
  const { request, toasts, clock } = useWorkspace();
  const [saved, setSaved] = useState(first);
  const [draft, setDraft] = useState(() => draftOf(first, clock.peek().zone));
  const [errors, setErrors] = useState<HoursErrors>({});
  const [busy, setBusy] = useState(false);
  const form = useRef<HTMLFormElement>(null);
  const dirty = JSON.stringify(hoursOf(draft)) !== JSON.stringify(saved);

  const fail = (found: HoursErrors) => {
    setErrors(found);
    requestAnimationFrame(() => {
      const fields = form.current?.querySelectorAll<HTMLElement>("[data-field]") ?? [];
      [...fields].find((field) => found[field.dataset.field!] !== undefined)?.focus();
    });
  };
  const take = (hours: BusinessHours) => {
    setSaved(hours);
    setDraft(draftOf(hours, clock.peek().zone));
    setErrors({});
  };
  const change = (some: Partial<HoursDraft>) => setDraft((known) => ({ ...known, ...some }));
  const save = async (event: Event) => {
    event.preventDefault();
    if (busy || !dirty) return;
    const found = errorsOf(draft);
    if (Object.keys(found).length > 0) return fail(found);
    setErrors({});
    setBusy(true);
    try {
      const { businessHours } = await request<{ businessHours: BusinessHours }>(
        "/api/analytics/business-hours",
        { method: "PATCH", body: { businessHours: hoursOf(draft) } },
      );
      take(businessHours);
      toasts.show({ tone: "good", text: "The business hours are saved." });
    } catch (error) {
      const byField = errorsByField(draft, error instanceof ApiError ? error.fields : []);
      const sentences = Object.entries(byField).map(([field, text]) => [field, sentence(text)]);
      fail(sentences.length > 0 ? Object.fromEntries(sentences) : { "": errorText(error) });
    } finally {
      setBusy(false);
    }
  };
  return {
    draft,
    errors,
    busy,
    dirty,
    form,
    save,
    change,
    /** New hours get the zone of the browser, which the server may not have known. */
    choose: (mode: "always" | "hours") =>
      change({
        always: mode === "always",
        ...(saved === null ? { timeZone: clock.peek().zone } : {}),
      }),
    reset: () => take(saved),
  };
}
