import { useRef, useState } from "preact/hooks";
import type { ContextRule } from "../../protocol/model.ts";
import { etagOf } from "../../protocol/etag.ts";
import { sentence } from "../auth/form_state.ts";
import { ApiError, errorText } from "../live/api.ts";
import { useWorkspace } from "../shell/context.ts";
import { Area } from "../ui/Area.tsx";
import { Button } from "../ui/Button.tsx";
import { Dialog } from "../ui/Dialog.tsx";
import { Field } from "../ui/Field.tsx";
import { Notice } from "../ui/Notice.tsx";
import {
  bodyOf,
  draftErrors,
  draftOf,
  errorsByField,
  isBasic,
  MAX_NAME,
  MAX_SAYS,
  type RuleDraft,
  type RuleErrors,
  sameDraft,
} from "./draft.ts";
import { TryRule } from "./TryRule.tsx";

const PAGES_EXAMPLE = "/pricing*\nhttps://www.example.com/shop/*";

export interface RuleEditorProps {
  /** The rule as it was when the editor was opened; null for a new one. */
  opened: ContextRule | null;
  /** The initial draft of a new rule. */
  beginning: RuleDraft;
  /** The current rules. */
  rules: ContextRule[];
  onRules: (rules: ContextRule[]) => void;
  /** The rules have changed on the server. */
  onStale: () => void;
  /** The editor was closed. */
  onClose: () => void;
}

export function RuleEditor(props: RuleEditorProps) {
  const { opened, beginning, rules, onRules, onStale } = props;
  const { request, toasts } = useWorkspace();
  const [open, setOpen] = useState(true);
  /** The version that the draft is based on. */
  const [base, setBase] = useState(opened);
  const [draft, setDraft] = useState(() => opened === null ? beginning : draftOf(opened));
  const [errors, setErrors] = useState<RuleErrors>({});
  const [busy, setBusy] = useState(false);
  const [asking, setAsking] = useState<"leave" | "delete" | null>(null);
  const form = useRef<HTMLFormElement>(null);

  const latest = base === null ? null : rules.find(({ id }) => id === base.id) ?? null;
  const removed = base !== null && latest === null;
  const basic = base === null || isBasic(base);
  const dirty = !sameDraft(draft, base === null ? beginning : draftOf(base));
  const isOutdated = base !== null && latest !== null && latest.updatedAt !== base.updatedAt &&
    !busy;
  // Nothing would be lost, or only whether the rule is enabled: the newer version is shown.
  if (isOutdated && (!dirty || sameDraft(draftOf(latest), draftOf(base)))) {
    setBase(latest);
    if (!dirty) setDraft(draftOf(latest));
  }
  const disagree = isOutdated && dirty && !sameDraft(draftOf(latest), draftOf(base));

  const change = (some: Partial<RuleDraft>) => {
    setDraft((known) => ({ ...known, ...some }));
    setAsking(null);
  };
  const fail = (found: RuleErrors) => {
    setErrors(found);
    requestAnimationFrame(() => {
      const fields = form.current?.querySelectorAll<HTMLElement>("[data-field]") ?? [];
      [...fields].find((field) => found[field.dataset.field as keyof RuleErrors])?.focus();
    });
  };

  const save = async (event: Event) => {
    event.preventDefault();
    if (busy || disagree) return;
    const found = basic ? draftErrors(draft) : draft.name.trim() ? {} : { name: "Enter a name." };
    if (Object.keys(found).length > 0) return fail(found);
    setErrors({});
    setBusy(true);
    const name = draft.name.trim();
    try {
      if (base === null || removed) {
        const { conditions, actions } = basic ? bodyOf(draft) : base!;
        const body = { name, conditions, actions };
        const made = await request<ContextRule>("/api/context-rules", { method: "POST", body });
        onRules([...rules, made]);
        toasts.show({ tone: "good", text: `“${made.name}” is added and switched on.` });
      } else {
        const path = `/api/context-rules/${base.id}`;
        const ifMatch = etagOf(base);
        const body = basic ? bodyOf(draft) : { name };
        const saved = await request<ContextRule>(path, { method: "PATCH", body, ifMatch });
        onRules(rules.map((one) => one.id === saved.id ? saved : one));
        toasts.show({ tone: "good", text: `“${saved.name}” is saved.` });
      }
      setOpen(false);
    } catch (error) {
      setBusy(false);
      const fields = error instanceof ApiError ? error.fields : [];
      const byField = Object.entries(errorsByField(draft, fields))
        .map(([field, text]) => [field, sentence(text)]);
      const stale = error instanceof ApiError && (error.status === 412 || error.status === 404);
      // The newer version will arrive soon, and with it the choice between the two.
      if (stale) onStale();
      const whole = stale
        ? "Somebody else has just changed this rule. Look at what they did and save again."
        : errorText(error);
      fail(byField.length > 0 ? Object.fromEntries(byField) : { "": whole });
    }
  };

  const remove = async () => {
    setBusy(true);
    try {
      await request(`/api/context-rules/${base!.id}`, { method: "DELETE" });
      onRules(rules.filter(({ id }) => id !== base!.id));
      toasts.show({ tone: "good", text: `“${base!.name}” is deleted.` });
      setOpen(false);
    } catch (error) {
      setBusy(false);
      // Somebody else has deleted it already.
      if (error instanceof ApiError && error.status === 404) return setOpen(false);
      setErrors({ "": errorText(error) });
    }
  };

  return (
    <Dialog
      open={open}
      wide
      title={base === null ? "New rule" : "Edit rule"}
      onClose={props.onClose}
      mayClose={() => {
        if (!dirty || busy) return !busy;
        setAsking("leave");
        return false;
      }}
      focusInside
    >
      <form class="dialog-form" ref={form} noValidate onSubmit={save} aria-label="Rule">
        {disagree && (
          <div class="rule-theirs" role="alert">
            <Notice tone="warn">
              Somebody else has changed this rule while you were editing it. Theirs now: “
              {latest.name}”, {lowerFirst(latest)}
            </Notice>
            <div class="dialog-actions">
              <Button
                onClick={() => {
                  setBase(latest);
                  setDraft(draftOf(latest));
                  setErrors({});
                }}
              >
                Take theirs
              </Button>
              <Button onClick={() => (setBase(latest), setErrors({}))}>Keep mine</Button>
            </div>
          </div>
        )}
        {removed && (
          <div role="alert">
            <Notice tone="warn">
              Somebody else has deleted this rule. Saving adds it again, as a new one.
            </Notice>
          </div>
        )}
        <Field
          id="rule-name"
          data-field="name"
          autofocus
          label="Name"
          hint="Only your team sees it."
          value={draft.name}
          maxLength={MAX_NAME}
          autocomplete="off"
          error={errors.name}
          onInput={(event) => change({ name: event.currentTarget.value })}
        />
        {basic
          ? (
            <>
              <fieldset class="rule-when">
                <legend>When</legend>
                <Area
                  id="rule-pages"
                  data-field="pages"
                  label="A visitor is on one of these pages"
                  hint="One in a line: a whole address, or a path. * stands for anything."
                  placeholder={PAGES_EXAMPLE}
                  rows={2}
                  autocapitalize="none"
                  autocomplete="off"
                  spellcheck={false}
                  value={draft.pages}
                  error={errors.pages}
                  onInput={(event) => change({ pages: event.currentTarget.value })}
                />
                <Area
                  id="rule-words"
                  data-field="words"
                  label="and writes one of these words"
                  hint="Separated by commas. If empty, the bot replies as soon as somebody visits the page."
                  placeholder="price, how much"
                  rows={2}
                  value={draft.words}
                  error={errors.words}
                  onInput={(event) => change({ words: event.currentTarget.value })}
                />
              </fieldset>
              <Area
                id="rule-says"
                data-field="says"
                label="The bot says"
                rows={3}
                maxLength={MAX_SAYS}
                value={draft.says}
                error={errors.says}
                onInput={(event) => change({ says: event.currentTarget.value })}
              />
              <TryRule draft={draft} own={base} rules={rules} />
            </>
          )
          : (
            <Notice tone="plain">
              This rule has conditions or actions that this page does not show. You can name it,
              switch it, order it and delete it here; the API changes the rest.
            </Notice>
          )}
        <div aria-live="assertive">
          {errors[""] && <Notice>{errors[""]}</Notice>}
          {asking === "leave" && (
            <Notice tone="warn">This has unsaved changes. Save them, or discard them.</Notice>
          )}
          {asking === "delete" && (
            <Notice tone="warn">
              Delete “{base!.name}” for good? What the bot has said stays in the conversations. To
              stop it for a while, switch it off.
            </Notice>
          )}
        </div>
        <div class="dialog-actions">
          {base !== null && !removed && (
            <Button
              kind={asking === "delete" ? "danger" : "quiet"}
              onClick={() => asking === "delete" ? void remove() : setAsking("delete")}
            >
              {asking === "delete" ? "Delete for good" : "Delete…"}
            </Button>
          )}
          <span class="spacer" />
          <Button kind="quiet" onClick={() => setOpen(false)}>
            {asking === "leave" ? "Discard" : "Cancel"}
          </Button>
          <Button type="submit" kind="primary" busy={busy} unavailable={disagree}>
            {base === null ? "Add rule" : "Save"}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

/** The rule in a few words, to be used within a sentence. */
function lowerFirst(rule: ContextRule): string {
  const { pages, words, says } = draftOf(rule);
  const when = [pages && `on ${pages.replaceAll("\n", ", ")}`, words && `at “${words}”`]
    .filter(Boolean).join(" ");
  return `${when} it says “${says}”.`;
}
