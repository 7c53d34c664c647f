import { useState } from "preact/hooks";
import { etagOf } from "../../../protocol/etag.ts";
import type { SavedView } from "../../../protocol/views.ts";
import { isolate } from "../../../protocol/visible_text.ts";
import { useForm } from "../../auth/form_state.ts";
import { ApiError } from "../../live/api.ts";
import { MAX_VIEW_NAME } from "../../live/limits.ts";
import { apiFilter } from "../../live/list_state.ts";
import { Button } from "../../ui/Button.tsx";
import { Field } from "../../ui/Field.tsx";
import { Notice } from "../../ui/Notice.tsx";
import { Select } from "../../ui/Select.tsx";
import { useInbox } from "../context.ts";

/** Names and shares a view: a new one of what the list shows, or one that there is. */
export function SaveView({ view: known, onClose }: {
  view: SavedView | null;
  onClose: () => void;
}) {
  const { views, list, teams, user, me, request, toasts } = useInbox();
  const [replaced, setReplaced] = useState<SavedView | null>(null);
  const view = known ?? replaced;
  const [name, setName] = useState(known?.name ?? "");
  const [audience, setAudience] = useState(audienceOf(known));
  const own = views.all.value.filter(({ userId }) => userId === user.id);
  const shareable = teams.value.filter(({ id, memberIds }) =>
    me.value.role === "admin" || memberIds.includes(user.id) || id === audience
  );
  const { form, errors, busy, onSubmit } = useForm(
    ["name"],
    ({ name }): Record<string, string> => name?.trim() ? {} : { name: "Enter a name." },
    async ({ name }) => {
      const team = audience === "nobody" || audience === "everybody" ? null : audience;
      const body = {
        name,
        // The name alone of one that there is.
        ...(known === null ? { filter: apiFilter(list.filter.value) } : {}),
        sharedWith: team === null ? audience : "team",
        ...(team === null ? {} : { teamId: team }),
      };
      try {
        const saved = view === null
          ? await request<SavedView>("/api/views", { method: "POST", body })
          : await request<SavedView>(`/api/views/${view.id}`, {
            method: "PATCH",
            body,
            ifMatch: etagOf(view),
          });
        views.put(saved);
        onClose();
        toasts.show({ tone: "good", text: `“${isolate(saved.name)}” is saved.` });
      } catch (error) {
        if (!(error instanceof ApiError) || error.status !== 412) throw error;
        void views.refresh().catch(() => {});
        throw new ApiError(412, {
          detail: "Somebody else has just changed this view. Close this and look at it again.",
        });
      }
    },
    { leaves: false },
  );
  return (
    <form class="dialog-form" ref={form} noValidate onSubmit={onSubmit} aria-label="View">
      {known === null && own.length > 0 && (
        <Select
          id="view-target"
          label="Save as"
          value={replaced?.id ?? ""}
          options={[
            { value: "", label: "A new view" },
            ...own.map(({ id, name }) => ({ value: id, label: `Replace “${name}”` })),
          ]}
          onChange={(id) => {
            const next = own.find((one) => one.id === id) ?? null;
            setReplaced(next);
            setName(next?.name ?? "");
            setAudience(audienceOf(next));
          }}
        />
      )}
      <Field
        id="view-name"
        autofocus
        name="name"
        label="Name"
        autocomplete="off"
        maxLength={MAX_VIEW_NAME}
        value={name}
        error={errors.fields.name}
        onInput={(event) => setName(event.currentTarget.value)}
      />
      <Select
        id="view-audience"
        label="Who sees it"
        value={audience}
        options={[
          { value: "nobody", label: "Only me" },
          ...shareable.map(({ id, name }) => ({ value: id, label: `The team ${name}` })),
          { value: "everybody", label: "Everybody" },
        ]}
        onChange={setAudience}
      />
      <div aria-live="assertive">{errors.form && <Notice>{errors.form}</Notice>}</div>
      <div class="dialog-actions">
        <Button kind="quiet" onClick={onClose}>Cancel</Button>
        <Button type="submit" kind="primary" busy={busy}>Save</Button>
      </div>
    </form>
  );
}

/** "nobody", "everybody", or the id of a team. */
function audienceOf(view: SavedView | null): string {
  return view?.teamId ?? view?.sharedWith ?? "nobody";
}
