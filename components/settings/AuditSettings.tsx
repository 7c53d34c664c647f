import { useEffect, useMemo } from "preact/hooks";
import { useSignal } from "@preact/signals";
import {
  Cable,
  Download,
  KeyRound,
  LogIn,
  ScrollText,
  Settings2,
  ShieldAlert,
  UserRound,
} from "lucide-preact";
import type { AuditEntry, AuditList } from "../../protocol/audit.ts";
import { auditDetail, auditSentence, GROUP_WORDS } from "../format/audit.ts";
import { deviceWords } from "../format/device.ts";
import { mediumTime } from "../format/time.ts";
import { useWorkspace } from "../shell/context.ts";
import { Badge } from "../ui/Badge.tsx";
import { Button } from "../ui/Button.tsx";
import { EmptyState } from "../ui/EmptyState.tsx";
import { Field } from "../ui/Field.tsx";
import { Notice } from "../ui/Notice.tsx";
import { Select } from "../ui/Select.tsx";
import { Time } from "../ui/Time.tsx";
import { createAuditModel } from "./audit_model.ts";
import { SettingsFrame } from "./SettingsFrame.tsx";

/** An actor to filter by: a person or an API key. */
export interface AuditActor {
  id: string;
  name: string;
}

const GROUPS = [
  { value: "", label: "Everything" },
  ...Object.entries(GROUP_WORDS).map(([value, label]) => ({ value, label })),
];

export function AuditSettings({ first, actors }: { first: AuditList; actors: AuditActor[] }) {
  const { user } = useWorkspace();
  return (
    <SettingsFrame
      path="/settings/audit"
      title="Audit log"
      lead="Who changed permissions and settings, who signed in, and failed sign-ins."
    >
      {user.role === "admin"
        ? <AuditLog first={first} actors={actors} />
        : <Notice tone="plain">Only admins can see the audit log.</Notice>}
    </SettingsFrame>
  );
}

function AuditLog({ first, actors }: { first: AuditList; actors: AuditActor[] }) {
  const workspace = useWorkspace();
  const model = useMemo(() => createAuditModel(workspace, first), []);
  const downloading = useSignal(false);
  const alive = workspace.live.value;
  useEffect(() => {
    if (alive) model.begin();
  }, [alive]);
  const { actorId, group, from, to } = model.choice.value;
  const items = model.items.value;
  const download = async () => {
    downloading.value = true;
    await model.download();
    downloading.value = false;
  };
  return (
    <>
      <div class="audit-filters" role="group" aria-label="Filter">
        <Select
          id="audit-who"
          label="Who"
          value={actorId}
          options={[
            { value: "", label: "Everybody" },
            ...actors.map(({ id, name }) => ({ value: id, label: name })),
          ]}
          onChange={(value) => model.choose({ actorId: value })}
        />
        <Select
          id="audit-what"
          label="What"
          value={group}
          options={GROUPS}
          onChange={(value) => model.choose({ group: value })}
        />
        <Field
          id="audit-from"
          label="From"
          type="date"
          value={from}
          max={to || undefined}
          onChange={(event) => model.choose({ from: event.currentTarget.value })}
        />
        <Field
          id="audit-to"
          label="To"
          type="date"
          value={to}
          min={from || undefined}
          onChange={(event) => model.choose({ to: event.currentTarget.value })}
        />
        <Button
          icon={<Download size={16} aria-hidden="true" />}
          busy={downloading.value}
          onClick={() => void download()}
        >
          CSV
        </Button>
      </div>
      <div aria-live="assertive">
        {model.problem.value && <Notice>{model.problem.value}</Notice>}
      </div>
      <p class="sr-only" role="status">
        {model.busy.value ? "Loading" : `${items.length} entries are shown`}
      </p>
      {items.length === 0 && !model.busy.value
        ? (
          <EmptyState icon={<ScrollText size={24} />} title="Nothing found">
            No entries match this filter.
          </EmptyState>
        )
        : (
          <ol class="cards audit" aria-label="Audit log" aria-busy={model.busy.value}>
            {items.map((entry) => <AuditRow key={entry.id} entry={entry} />)}
          </ol>
        )}
      {model.nextCursor.value !== null && (
        <div class="audit-more">
          <Button busy={model.busy.value} onClick={() => void model.more()}>Show more</Button>
        </div>
      )}
    </>
  );
}

function AuditRow({ entry }: { entry: AuditEntry }) {
  const { clock } = useWorkspace();
  const detail = auditDetail(entry);
  const origin = [
    entry.address,
    entry.userAgent === null ? null : deviceWords(entry.userAgent),
  ].filter((part) => part !== null).join(", ");
  return (
    <li>
      <div class="card">
        <AuditIcon action={entry.action} />
        <span class="card-words">
          <strong>{auditSentence(entry)}</strong>
          {detail && <span>{detail}</span>}
          <span class="audit-origin">
            <Time iso={entry.at} clock={clock.value} as={mediumTime} />
            {origin !== "" && <span title={entry.userAgent ?? undefined}>{origin}</span>}
          </span>
        </span>
        {entry.result === "refused" && <Badge tone="warn">Refused</Badge>}
      </div>
    </li>
  );
}

function AuditIcon({ action }: { action: string }) {
  const Icon = action === "sign_in.failed" || action === "sign_in.reused"
    ? ShieldAlert
    : action.startsWith("sign_in.")
    ? LogIn
    : action.startsWith("user.")
    ? UserRound
    : action.startsWith("api_key.")
    ? KeyRound
    : action.startsWith("connections.")
    ? Cable
    : action.endsWith(".exported")
    ? Download
    : Settings2;
  return <Icon size={16} aria-hidden="true" />;
}
