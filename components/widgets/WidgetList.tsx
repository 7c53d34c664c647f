import { useState } from "preact/hooks";
import { ChevronRight, MessageSquareCode, Plus } from "lucide-preact";
import type { WidgetConfig } from "../../protocol/model.ts";
import { useForm } from "../auth/form_state.ts";
import { useLive } from "../live/use_live.ts";
import { useWorkspace } from "../shell/context.ts";
import { PageHead } from "../shell/PageShell.tsx";
import { Badge } from "../ui/Badge.tsx";
import { Button } from "../ui/Button.tsx";
import { Dialog } from "../ui/Dialog.tsx";
import { EmptyState } from "../ui/EmptyState.tsx";
import { Field } from "../ui/Field.tsx";
import { Notice } from "../ui/Notice.tsx";
import { StaleNotice } from "../ui/StaleNotice.tsx";
import { originsSummary, readOrigin } from "./origins.ts";
import { navigate } from "../live/page_navigation.ts";

export function WidgetList({ widgets: start }: { widgets: WidgetConfig[] }) {
  const { user } = useWorkspace();
  const { value: widgets, problem } = useLive<WidgetConfig[]>(
    "widget_configs",
    start,
    "/api/widget-configs",
  );
  const [adding, setAdding] = useState(false);
  const admin = user.role === "admin";
  const add = (
    <Button
      kind="primary"
      icon={<Plus size={16} aria-hidden="true" />}
      onClick={() => setAdding(true)}
    >
      New widget
    </Button>
  );
  return (
    <div class="page-width">
      <PageHead
        title="Widgets"
        lead="A widget is a chat on a website. Each has its own look and its own list of websites."
        action={admin && widgets.length > 0 ? add : undefined}
      />
      {!admin && (
        <Notice tone="plain">
          You can look at widgets and copy their code. Only admins can change them.
        </Notice>
      )}
      {problem && <StaleNotice problem={problem} />}
      {widgets.length === 0
        ? (
          <EmptyState
            icon={<MessageSquareCode size={20} />}
            title="No widgets"
            action={admin ? add : undefined}
          >
            Visitors can write to you as soon as a website has one.
          </EmptyState>
        )
        : (
          <ul class="cards" aria-label="Widgets">
            {widgets.map((widget) => (
              <li key={widget.id}>
                <a href={`/widgets/${widget.id}`}>
                  <MessageSquareCode size={18} aria-hidden="true" />
                  <span class="card-words">
                    <strong dir="auto">{widget.name}</strong>
                    <span>{originsSummary(widget.allowedOrigins)}</span>
                  </span>
                  {widget.enabled ? <Badge tone="good">On</Badge> : <Badge tone="warn">Off</Badge>}
                  <ChevronRight size={16} aria-hidden="true" />
                </a>
              </li>
            ))}
          </ul>
        )}
      <Dialog open={adding} title="New widget" onClose={() => setAdding(false)} focusInside>
        <NewWidget onCancel={() => setAdding(false)} />
      </Dialog>
    </div>
  );
}

function NewWidget({ onCancel }: { onCancel: () => void }) {
  const { request } = useWorkspace();
  const { form, errors, busy, onSubmit } = useForm(
    ["name", "website"],
    ({ name, website = "" }) => {
      const fields: Record<string, string> = {};
      if (!name?.trim()) fields.name = "Enter a name.";
      const read = readOrigin(website);
      if (website.trim() !== "" && "error" in read) fields.website = read.error;
      return fields;
    },
    async ({ name, website = "" }) => {
      const read = readOrigin(website);
      const widget = await request<WidgetConfig>("/api/widget-configs", {
        method: "POST",
        body: { name, allowedOrigins: "origin" in read ? [read.origin] : [] },
      });
      navigate(`/widgets/${widget.id}`);
    },
  );
  return (
    <form class="dialog-form" ref={form} noValidate onSubmit={onSubmit}>
      <Field
        id="new-widget-name"
        autofocus
        name="name"
        label="Name"
        hint="Only your team sees it, for example “Shop”."
        maxLength={100}
        autocomplete="off"
        error={errors.fields.name}
      />
      <Field
        id="new-widget-website"
        name="website"
        label="Website (optional)"
        placeholder="https://www.example.com"
        inputMode="url"
        autocapitalize="none"
        autocomplete="off"
        spellcheck={false}
        maxLength={255}
        error={errors.fields.website}
      />
      <div aria-live="assertive">{errors.form && <Notice>{errors.form}</Notice>}</div>
      <div class="dialog-actions">
        <Button kind="quiet" onClick={onCancel}>Cancel</Button>
        <Button type="submit" kind="primary" busy={busy}>Create</Button>
      </div>
    </form>
  );
}
