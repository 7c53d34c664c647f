import { useEffect, useRef, useState } from "preact/hooks";
import { CircleAlert } from "lucide-preact";
import type { ApiKey, CreatedApiKey, Scope } from "../../protocol/programs.ts";
import { useForm } from "../auth/form_state.ts";
import { serverNow } from "../live/server_time.ts";
import { useWorkspace } from "../shell/context.ts";
import { Button } from "../ui/Button.tsx";
import { CopyButton } from "../ui/CopyButton.tsx";
import { Field } from "../ui/Field.tsx";
import { Notice } from "../ui/Notice.tsx";
import { Select } from "../ui/Select.tsx";

export interface ScopeChoice {
  scope: Scope;
  words: string;
}

const DAY = 86_400_000;
const LIVES = [
  { value: "", label: "Never" },
  { value: "30", label: "After 30 days" },
  { value: "90", label: "After 90 days" },
  { value: "365", label: "After a year" },
];

/** Adds a key for a program: a form with its scopes, then the key itself, shown once. */
export function AddApiKey({ scopes, onAdded, onClose }: {
  scopes: readonly ScopeChoice[];
  onAdded: (key: ApiKey) => void;
  onClose: () => void;
}) {
  const { request } = useWorkspace();
  const [chosen, setChosen] = useState<ReadonlySet<Scope>>(new Set());
  const [days, setDays] = useState("");
  const [made, setMade] = useState<CreatedApiKey | null>(null);
  const { form, errors, busy, onSubmit } = useForm(
    ["name", "scopes"],
    ({ name }) => ({
      ...(name?.trim() ? {} : { name: "Enter a name." }),
      ...(chosen.size > 0 ? {} : { scopes: "Choose at least one permission." }),
    }),
    async ({ name }) => {
      const expiresAt = days === ""
        ? null
        : new Date(serverNow() + Number(days) * DAY).toISOString();
      const body = { name, scopes: [...chosen], expiresAt };
      const key = await request<CreatedApiKey>("/api/api-keys", { method: "POST", body });
      setMade(key);
      const { key: _shownOnce, ...rest } = key;
      onAdded(rest);
    },
    { leaves: false },
  );
  if (made !== null) return <MadeKey made={made} onDone={onClose} />;

  const toggle = (scope: Scope, on: boolean) =>
    setChosen((known) =>
      new Set([...known].filter((one) => one !== scope).concat(on ? scope : []))
    );
  return (
    <form class="dialog-form" ref={form} noValidate onSubmit={onSubmit}>
      <Field
        id="key-name"
        autofocus
        name="name"
        label="Name"
        hint="The program that uses it. Its messages appear under this name."
        autocomplete="off"
        maxLength={100}
        error={errors.fields.name}
      />
      <fieldset
        class="scopes"
        aria-describedby={errors.fields.scopes ? "scopes-error" : undefined}
      >
        <legend>Rights</legend>
        {scopes.map(({ scope, words }, index) => (
          <label key={scope}>
            <input
              type="checkbox"
              // One of them has the name, so that it gets the focus when none is checked.
              name={index === 0 ? "scopes" : undefined}
              value={scope}
              checked={chosen.has(scope)}
              onChange={(event) => toggle(scope, event.currentTarget.checked)}
            />
            <span>
              {words}
              <code>{scope}</code>
            </span>
          </label>
        ))}
        {errors.fields.scopes && (
          <p class="field-error" id="scopes-error">
            <CircleAlert size={16} aria-hidden="true" />
            {errors.fields.scopes}
          </p>
        )}
      </fieldset>
      <Select id="key-life" label="Ends" value={days} options={LIVES} onChange={setDays} />
      <div aria-live="assertive">{errors.form && <Notice>{errors.form}</Notice>}</div>
      <div class="dialog-actions">
        <Button kind="quiet" onClick={onClose}>Cancel</Button>
        <Button type="submit" kind="primary" busy={busy}>Create key</Button>
      </div>
    </form>
  );
}

function MadeKey({ made, onDone }: { made: CreatedApiKey; onDone: () => void }) {
  const first = useRef<HTMLDivElement>(null);
  // The form that had the focus is gone.
  useEffect(() => first.current?.focus(), []);
  return (
    <div class="dialog-form" ref={first} tabIndex={-1}>
      <p>
        Put the key of <bdi>{made.name}</bdi>{" "}
        with the program's other secrets. Anyone who has it can use its permissions.
      </p>
      <p class="made-key mono">{made.key}</p>
      {/* If copying fails, the key can be selected. */}
      <Notice tone="plain">It is shown only once and cannot be looked up later.</Notice>
      <div class="dialog-actions">
        <CopyButton kind="plain" text={made.key}>Copy key</CopyButton>
        <Button kind="primary" onClick={onDone}>Done</Button>
      </div>
    </div>
  );
}
