import { useRef, useState } from "preact/hooks";
import { etagOf } from "../../protocol/etag.ts";
import type { ContextRule } from "../../protocol/model.ts";
import { sentence } from "../auth/form_state.ts";
import { ApiError, errorText } from "../live/api.ts";
import { useWorkspace } from "../shell/context.ts";
import {
  bodyOf,
  draftErrors,
  draftOf,
  errorsByField,
  isBasic,
  type RuleDraft,
  type RuleErrors,
  sameDraft,
} from "./draft.ts";
import { isolate } from "../../protocol/visible_text.ts";

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

/** The draft of one rule, what has become of the rule meanwhile, and saving and deleting it. */
export function useRuleEditor({ opened, beginning, rules, onRules, onStale }: RuleEditorProps) {
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
        toasts.show({ tone: "good", text: `“${isolate(made.name)}” is added and switched on.` });
      } else {
        const path = `/api/context-rules/${base.id}`;
        const ifMatch = etagOf(base);
        const body = basic ? bodyOf(draft) : { name };
        const saved = await request<ContextRule>(path, { method: "PATCH", body, ifMatch });
        onRules(rules.map((one) => one.id === saved.id ? saved : one));
        toasts.show({ tone: "good", text: `“${isolate(saved.name)}” is saved.` });
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
      toasts.show({ tone: "good", text: `“${isolate(base!.name)}” is deleted.` });
      setOpen(false);
    } catch (error) {
      setBusy(false);
      // Somebody else has deleted it already.
      if (error instanceof ApiError && error.status === 404) return setOpen(false);
      setErrors({ "": errorText(error) });
    }
  };

  return {
    open,
    base,
    latest,
    draft,
    errors,
    busy,
    /** What the agent is asked to confirm. */
    asking,
    form,
    /** The rule was deleted by somebody else. */
    removed,
    basic,
    /** Somebody else changed what is changed here, too. */
    disagree,
    change,
    save,
    remove,
    setAsking,
    close: () => setOpen(false),
    takeTheirs(theirs: ContextRule) {
      setBase(theirs);
      setDraft(draftOf(theirs));
      setErrors({});
    },
    keepMine(theirs: ContextRule) {
      setBase(theirs);
      setErrors({});
    },
    /** Whether the editor may close now; else it asks about the unsaved changes. */
    mayClose(): boolean {
      if (!dirty || busy) return !busy;
      setAsking("leave");
      return false;
    },
  };
}
