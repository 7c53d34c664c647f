import { useRef, useState } from "preact/hooks";
import type { Team } from "../../protocol/teams.ts";
import type { CannedResponse, MacroActions } from "../../protocol/canned_responses.ts";
import { etagOf } from "../../protocol/etag.ts";
import type { Label, User } from "../../protocol/model.ts";
import { useForm } from "../auth/form_state.ts";
import { VARIABLES } from "../inbox/suggestions/variables.ts";
import { ApiError } from "../live/api.ts";
import { MAX_CONTENT, MAX_FOLDER, MAX_SHORT_CODE } from "../live/limits.ts";
import { useWorkspace } from "../shell/context.ts";
import { Button } from "../ui/Button.tsx";
import { Choice } from "../ui/Choice.tsx";
import { Field, FieldFrame } from "../ui/Field.tsx";
import { Notice } from "../ui/Notice.tsx";
import { MacroFields } from "./MacroFields.tsx";

export interface CannedReplyFormProps {
  /** null: a new one. */
  reply: CannedResponse | null;
  /** The text of a new one. */
  content?: string;
  folders: readonly string[];
  labels: readonly Label[];
  users: readonly User[];
  teams: readonly Team[];
  /** Whether this agent may change those for everybody. */
  mayShare: boolean;
  onDone: (reply: CannedResponse) => void;
  onClose: () => void;
}

/** A form for a new or an existing canned reply or macro. */
export function CannedReplyForm(props: CannedReplyFormProps) {
  const { reply, folders, mayShare, onDone, onClose } = props;
  const { request } = useWorkspace();
  const [shared, setShared] = useState(reply?.shared ?? mayShare);
  const [actions, setActions] = useState<MacroActions>(reply?.actions ?? {});
  const does = Boolean(
    actions.addLabels?.length || actions.assignTo || actions.teamId || actions.status,
  );
  const { form, errors, busy, onSubmit } = useForm(
    ["shortCode", "content", "folder"],
    ({ shortCode, content }): Record<string, string> => ({
      ...(shortCode?.trim() ? {} : { shortCode: "Enter a short code." }),
      ...(content?.trim() || does ? {} : { content: "Enter a text." }),
    }),
    async ({ shortCode = "", content, folder }) => {
      const body = {
        shortCode: shortCode.trim().replace(/^\/+/, ""),
        content,
        folder: folder?.trim() || null,
        shared,
        actions: does ? actions : null,
      };
      try {
        const path = "/api/canned-responses";
        onDone(
          reply === null
            ? await request<CannedResponse>(path, { method: "POST", body })
            : await request<CannedResponse>(`${path}/${reply.id}`, {
              method: "PATCH",
              body,
              ifMatch: etagOf(reply),
            }),
        );
      } catch (error) {
        throw refusalOf(error);
      }
    },
    { leaves: false },
  );
  return (
    <form class="dialog-form" ref={form} noValidate onSubmit={onSubmit} aria-label="Canned reply">
      <Field
        id="canned-code"
        autofocus
        name="shortCode"
        label="Short code"
        hint="Type / and this in the composer."
        defaultValue={reply?.shortCode ?? ""}
        autocomplete="off"
        autocapitalize="off"
        spellcheck={false}
        maxLength={MAX_SHORT_CODE}
        error={errors.fields.shortCode}
      />
      <ContentField
        content={reply?.content ?? props.content ?? ""}
        error={errors.fields.content}
      />
      <Field
        id="canned-folder"
        name="folder"
        label="Folder (optional)"
        list="canned-folders"
        defaultValue={reply?.folder ?? ""}
        autocomplete="off"
        maxLength={MAX_FOLDER}
        error={errors.fields.folder}
      />
      <datalist id="canned-folders">
        {folders.map((folder) => <option key={folder} value={folder} />)}
      </datalist>
      {mayShare && (
        <Choice
          label="Who uses it"
          name="shared"
          value={shared ? "all" : "me"}
          options={[{ value: "all", label: "Everybody" }, { value: "me", label: "Only you" }]}
          onChange={(value) => setShared(value === "all")}
        />
      )}
      <MacroFields
        actions={actions}
        labels={props.labels}
        users={props.users}
        teams={props.teams}
        onChange={setActions}
      />
      <div aria-live="assertive">{errors.form && <Notice>{errors.form}</Notice>}</div>
      <div class="dialog-actions">
        <Button kind="quiet" onClick={onClose}>Cancel</Button>
        <Button type="submit" kind="primary" busy={busy}>
          {reply === null ? "Add reply" : "Save"}
        </Button>
      </div>
    </form>
  );
}

/** The text, with buttons that put a variable where the caret is. */
function ContentField({ content, error }: { content: string; error: string | undefined }) {
  const area = useRef<HTMLTextAreaElement>(null);
  function insert(name: string) {
    const box = area.current;
    if (box === null) return;
    box.setRangeText(`{{${name}}}`, box.selectionStart, box.selectionEnd, "end");
    box.focus();
  }
  return (
    <div class="canned-content">
      <FieldFrame
        id="canned-content"
        label="Text"
        hint="Text after the bar is used when the value is unknown: {{contact.firstName|there}}"
        error={error}
      >
        {(describedBy) => (
          <textarea
            ref={area}
            id="canned-content"
            name="content"
            rows={5}
            dir="auto"
            maxLength={MAX_CONTENT}
            defaultValue={content}
            aria-invalid={error ? "true" : undefined}
            aria-describedby={describedBy}
          />
        )}
      </FieldFrame>
      <div class="canned-variables" role="group" aria-label="Insert a variable">
        {VARIABLES.map(({ name, about }) => (
          <button
            key={name}
            type="button"
            title={about}
            onClick={() => insert(name)}
          >
            {name}
          </button>
        ))}
      </div>
    </div>
  );
}

/** The errors of the server in the words of this form. */
function refusalOf(error: unknown): unknown {
  if (!(error instanceof ApiError)) return error;
  if (error.code === "conflict" && error.fields.length > 0) {
    const message = "A canned reply with this short code already exists.";
    return new ApiError(422, { fields: [{ path: "shortCode", message }] });
  }
  if (error.status !== 404 && error.status !== 412) return error;
  return new ApiError(error.status, {
    code: "changed",
    detail: error.status === 404
      ? "Somebody else has just deleted this canned reply."
      : "Somebody else has just changed this canned reply. Close this and look at what they did.",
  });
}
