import type { ContextRule } from "../../protocol/model.ts";
import { Area } from "../ui/Area.tsx";
import { Button } from "../ui/Button.tsx";
import { Dialog } from "../ui/Dialog.tsx";
import { Field } from "../ui/Field.tsx";
import { Notice } from "../ui/Notice.tsx";
import { draftOf, MAX_NAME, MAX_SAYS } from "./draft.ts";
import { TryRule } from "./TryRule.tsx";
import { type RuleEditorProps, useRuleEditor } from "./use_rule_editor.ts";

const PAGES_EXAMPLE = "/pricing*\nhttps://www.example.com/shop/*";

export function RuleEditor(props: RuleEditorProps) {
  const editor = useRuleEditor(props);
  const { base, latest, draft, errors, busy, asking, removed, basic, disagree, change } = editor;
  return (
    <Dialog
      open={editor.open}
      wide
      title={base === null ? "New rule" : "Edit rule"}
      onClose={props.onClose}
      mayClose={editor.mayClose}
      focusInside
    >
      <form
        class="dialog-form"
        ref={editor.form}
        noValidate
        onSubmit={editor.save}
        aria-label="Rule"
      >
        {disagree && latest && (
          <div class="rule-theirs" role="alert">
            <Notice tone="warn">
              Somebody else has changed this rule while you were editing it. Theirs now: “
              <bdi>{latest.name}</bdi>”, {lowerFirst(latest)}
            </Notice>
            <div class="dialog-actions">
              <Button onClick={() => editor.takeTheirs(latest)}>Use theirs</Button>
              <Button onClick={() => editor.keepMine(latest)}>Keep mine</Button>
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
                  hint="One per line: a whole address, or a path. * stands for anything."
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
              <TryRule draft={draft} own={base} rules={props.rules} />
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
            <Notice tone="warn">You have unsaved changes. Save or discard them first.</Notice>
          )}
          {asking === "delete" && (
            <Notice tone="warn">
              Delete “<bdi>{base!.name}</bdi>” for good? What the bot has said stays in the
              conversations. To stop it for a while, switch it off.
            </Notice>
          )}
        </div>
        <div class="dialog-actions">
          {base !== null && !removed && (
            <Button
              kind={asking === "delete" ? "danger" : "quiet"}
              onClick={() =>
                asking === "delete" ? void editor.remove() : editor.setAsking("delete")}
            >
              {asking === "delete" ? "Delete for good" : "Delete…"}
            </Button>
          )}
          <span class="spacer" />
          <Button kind="quiet" onClick={editor.close}>
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
