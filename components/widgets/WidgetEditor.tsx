import { useEffect, useRef, useState } from "preact/hooks";
import { etagOf } from "../../protocol/etag.ts";
import type { WidgetConfig } from "../../protocol/model.ts";
import { sentence } from "../auth/form_state.ts";
import { ApiError, errorText } from "../live/api.ts";
import { useLive } from "../live/use_live.ts";
import { useWorkspace } from "../shell/context.ts";
import { PageHead } from "../shell/PageShell.tsx";
import { Badge } from "../ui/Badge.tsx";
import { Button } from "../ui/Button.tsx";
import { Field } from "../ui/Field.tsx";
import { Notice } from "../ui/Notice.tsx";
import { SaveBar } from "../ui/SaveBar.tsx";
import { Section } from "../ui/Section.tsx";
import { StaleNotice } from "../ui/StaleNotice.tsx";
import { Switch } from "../ui/Switch.tsx";
import { AppearanceFields } from "./AppearanceFields.tsx";
import { DeleteWidget } from "./DeleteWidget.tsx";
import {
  changesOf,
  type DraftErrors,
  draftErrors,
  draftOf,
  errorsByField,
  mergeDraft,
  type WidgetDraft,
} from "./draft.ts";
import { InstallSection } from "./InstallSection.tsx";
import { OriginsEditor } from "./OriginsEditor.tsx";
import { WidgetPreview } from "./WidgetPreview.tsx";

export interface WidgetEditorProps {
  widget: WidgetConfig;
  origin: string;
  onDemo: boolean;
}

/** All settings of one widget. Changes are saved together. */
export function WidgetEditor({ widget, origin, onDemo }: WidgetEditorProps) {
  const { user } = useWorkspace();
  const locked = user.role !== "admin";
  const own = useWidgetDraft(widget);
  const { saved, draft, change, reset, dirty, busy, errors, form, save } = own;
  return (
    <div class="page-width" data-wide>
      <PageHead
        back={{ href: "/widgets", label: "Widgets" }}
        title={
          <>
            <bdi>{saved.name}</bdi>{" "}
            {saved.enabled ? <Badge tone="good">On</Badge> : <Badge tone="warn">Off</Badge>}
          </>
        }
      />
      {locked && (
        <Notice tone="plain">
          You can look at this widget and copy its code. Only admins can change it.
        </Notice>
      )}
      <div class="editor-news" aria-live="polite">
        {own.problem && <StaleNotice problem={own.problem} />}
        {own.removed
          ? (
            <Notice>
              Somebody else has deleted this widget. <a href="/widgets">Show all widgets</a>
            </Notice>
          )
          : own.merged && dirty && (
            <Notice tone="warn">
              Somebody else has just changed this widget. What you have changed is kept here, and
              not saved yet. <Button size="s" onClick={reset}>Use theirs</Button>
            </Notice>
          )}
      </div>
      <div class="editor">
        <div class="editor-main">
          <InstallSection widget={saved} origin={origin} onDemo={onDemo} />
          <form ref={form} noValidate onSubmit={save} aria-label="Widget">
            <fieldset class="bare" disabled={locked || own.removed}>
              <Section id="general" title="General">
                <Field
                  id="widget-name"
                  data-field="name"
                  label="Name"
                  hint="Only your team sees it."
                  value={draft.name}
                  maxLength={100}
                  autocomplete="off"
                  error={errors.name}
                  onInput={(event) => change({ name: event.currentTarget.value })}
                />
                <Switch
                  id="widget-enabled"
                  label="Switched on"
                  hint="Off: the chat disappears from websites. Conversations stay in the inbox."
                  checked={draft.enabled}
                  onChange={(enabled) => change({ enabled })}
                />
              </Section>
              <Section
                id="websites"
                title="Websites"
                lead="Only these may show the chat; all others are refused."
              >
                <OriginsEditor
                  rows={draft.origins}
                  errors={errors}
                  locked={locked}
                  onChange={(origins) => change({ origins })}
                />
              </Section>
              <Section id="appearance" title="Appearance" lead="How visitors see the chat.">
                <AppearanceFields
                  appearance={draft.appearance}
                  errors={errors}
                  onChange={(some) => change({ appearance: { ...draft.appearance, ...some } })}
                />
              </Section>
            </fieldset>
            <SaveBar dirty={dirty} busy={busy} error={errors[""] ?? null} onDiscard={reset} />
          </form>
        </div>
        <WidgetPreview appearance={draft.appearance} />
        {!locked && !own.removed && <DeleteWidget widget={saved} onGone={reset} />}
      </div>
    </div>
  );
}

function useWidgetDraft(widget: WidgetConfig) {
  const { request, toasts } = useWorkspace();
  const live = useLive<WidgetConfig[]>("widget_configs", [widget], "/api/widget-configs");
  const [saved, setSaved] = useState(widget);
  const [merged, setMerged] = useState(false);
  const [draft, setDraft] = useState(() => draftOf(widget));
  const [errors, setErrors] = useState<DraftErrors>({});
  const [busy, setBusy] = useState(false);
  const form = useRef<HTMLFormElement>(null);
  const changes = changesOf(saved, draft);
  const latest = live.value.find(({ id }) => id === widget.id);

  useEffect(() => {
    // The answer to this agent's own save is applied elsewhere.
    if (busy || latest === undefined || latest.updatedAt <= saved.updatedAt) return;
    setSaved(latest);
    setDraft(mergeDraft(saved, draft, latest));
    setMerged(changes !== null);
  }, [latest, busy]);

  const fail = (found: DraftErrors) => {
    setErrors(found);
    requestAnimationFrame(() => {
      const fields = form.current?.querySelectorAll<HTMLElement>("[data-field]") ?? [];
      [...fields].find((field) => found[field.dataset.field!] !== undefined)?.focus();
    });
  };
  const take = (next: WidgetConfig) => {
    setSaved(next);
    setDraft(draftOf(next));
    setErrors({});
    setMerged(false);
  };

  const save = async (event: Event) => {
    event.preventDefault();
    if (busy || changes === null) return;
    const found = draftErrors(draft);
    if (Object.keys(found).length > 0) return fail(found);
    setErrors({});
    setBusy(true);
    try {
      const path = `/api/widget-configs/${saved.id}`;
      const ifMatch = etagOf(saved);
      take(await request<WidgetConfig>(path, { method: "PATCH", body: changes, ifMatch }));
      toasts.show({
        tone: "good",
        text: "Saved. Open chats show it at once, all pages within a minute.",
      });
    } catch (error) {
      if (error instanceof ApiError && error.status === 412) {
        // The newer version will arrive soon, and the unsaved changes are applied on top of it.
        live.refresh();
        return fail({ "": "Somebody else was faster. Look at what they did and save again." });
      }
      const fields = error instanceof ApiError ? error.fields : [];
      const byField = Object.entries(errorsByField(draft, fields))
        .map(([field, text]) => [field, sentence(text)]);
      fail(byField.length > 0 ? Object.fromEntries(byField) : { "": errorText(error) });
    } finally {
      setBusy(false);
    }
  };
  return {
    saved,
    draft,
    errors,
    busy,
    form,
    save,
    dirty: changes !== null && latest !== undefined,
    /** Somebody else saved while there were unsaved changes here. */
    merged,
    removed: latest === undefined,
    problem: live.problem,
    change: (some: Partial<WidgetDraft>) => setDraft((known) => ({ ...known, ...some })),
    reset: () => take(saved),
  };
}
