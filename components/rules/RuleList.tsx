import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { Plus, Workflow } from "lucide-preact";
import type { ContextRule } from "../../protocol/model.ts";
import type { ContextRuleList } from "../../protocol/rules.ts";
import { ApiError } from "../live/api.ts";
import { useLive } from "../live/use_live.ts";
import { useWorkspace } from "../shell/context.ts";
import { PageHead } from "../shell/PageShell.tsx";
import { Button } from "../ui/Button.tsx";
import { EmptyState } from "../ui/EmptyState.tsx";
import { Notice } from "../ui/Notice.tsx";
import { StaleNotice } from "../ui/StaleNotice.tsx";
import { EMPTY, moved, type RuleDraft, TEMPLATES } from "./draft.ts";
import { RuleEditor } from "./RuleEditor.tsx";
import { RuleRow } from "./RuleRow.tsx";
import { useDrag } from "./use_drag.ts";
import { isolate } from "../../protocol/visible_text.ts";

/** What the editor is open for: an existing rule, or the draft of a new one. */
type Editing = { rule: ContextRule } | { draft: RuleDraft };

export function RuleList({ rules: start }: { rules: ContextRule[] }) {
  const { user, request, fail, announcement } = useWorkspace();
  const { value: rules, set, refresh, problem } = useLive<ContextRule[]>(
    "context_rules",
    start,
    "/api/context-rules",
  );
  const [editing, setEditing] = useState<Editing | null>(null);
  const admin = user.role === "admin";
  const drag = useDrag((from, to) => void move(rules[from]!, to));

  async function toggle(rule: ContextRule, enabled: boolean) {
    const next = (one: ContextRule) => one.id === rule.id ? { ...one, enabled } : one;
    set(rules.map(next));
    try {
      await request(`/api/context-rules/${rule.id}`, { method: "PATCH", body: { enabled } });
      announcement.value = `${isolate(rule.name)} is switched ${enabled ? "on" : "off"}`;
    } catch (error) {
      gone(error);
    }
  }

  async function move(rule: ContextRule, to: number, key?: "up" | "down") {
    const next = moved(rules, rules.indexOf(rule), to);
    set(next);
    // A row that moves in the document loses the focus.
    if (key !== undefined) requestAnimationFrame(() => focusOn(rule.id, key));
    try {
      const { items } = await request<ContextRuleList>("/api/context-rules/order", {
        method: "POST",
        body: { ids: next.map(({ id }) => id) },
      });
      set(items);
      announcement.value = `${isolate(rule.name)} is now ${to + 1} of ${items.length}`;
    } catch (error) {
      gone(error);
    }
  }

  /** The optimistic change failed, or the list was not current. */
  function gone(error: unknown) {
    refresh();
    const removed = error instanceof ApiError && (error.status === 404 || error.status === 409);
    fail(
      removed ? new Error("Somebody has just removed a rule. The list is up to date now.") : error,
    );
  }

  const add = (
    <Button
      kind="primary"
      icon={<Plus size={16} aria-hidden="true" />}
      onClick={() => setEditing({ draft: EMPTY })}
    >
      New rule
    </Button>
  );
  return (
    <div class="page-width">
      <PageHead
        title="Rules"
        lead="Automatic replies from the bot. The first matching rule replies, once per conversation."
        action={admin && rules.length > 0 ? add : undefined}
      />
      {!admin && <Notice tone="plain">Only admins can change rules.</Notice>}
      {problem && <StaleNotice problem={problem} />}
      {rules.length === 0 ? <NoRules admin={admin} add={add} onTemplate={setEditing} /> : (
        <ol
          class="rules"
          ref={drag.rows}
          aria-label="Rules"
          data-dragging={drag.dragged === null ? undefined : ""}
        >
          {rules.map((rule, index) => (
            <RuleRow
              key={rule.id}
              rule={rule}
              index={index}
              count={rules.length}
              locked={!admin}
              dragged={drag.dragged === index}
              style={drag.styleOf(index)}
              handle={drag.handle(index)}
              onSwitch={(enabled) => void toggle(rule, enabled)}
              onMove={(to) => void move(rule, to, to < index ? "up" : "down")}
              onEdit={() => setEditing({ rule })}
            />
          ))}
        </ol>
      )}
      {rules.length > 0 && (
        <p class="rules-hint">
          After an agent writes in a conversation, rules pause there for ten minutes.
        </p>
      )}
      {editing !== null && (
        <RuleEditor
          key={"rule" in editing ? editing.rule.id : "new"}
          opened={"rule" in editing ? editing.rule : null}
          beginning={"draft" in editing ? editing.draft : EMPTY}
          rules={rules}
          onRules={set}
          onStale={refresh}
          onClose={() => setEditing(null)}
        />
      )}
    </div>
  );
}

function NoRules({ admin, add, onTemplate }: {
  admin: boolean;
  add: ComponentChildren;
  onTemplate: (editing: { draft: RuleDraft }) => void;
}) {
  return (
    <>
      <EmptyState
        icon={<Workflow size={20} />}
        title="No rules"
        action={admin ? add : undefined}
      >
        A rule lets the bot greet visitors on a page, or reply to a keyword.
      </EmptyState>
      {admin && (
        <ul class="cards rule-templates" aria-label="Templates">
          {TEMPLATES.map(({ title, about, draft }) => (
            <li key={title} class="card">
              <span class="card-words">
                <strong>{title}</strong>
                <span>{about}</span>
              </span>
              <Button aria-label={`Use this: ${title}`} onClick={() => onTemplate({ draft })}>
                Use this
              </Button>
            </li>
          ))}
        </ul>
      )}
    </>
  );
}

function focusOn(id: string, key: "up" | "down") {
  document.querySelector<HTMLElement>(`.rule[data-id="${id}"] [data-move="${key}"]`)?.focus();
}
