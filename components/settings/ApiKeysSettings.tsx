import { useState } from "preact/hooks";
import { KeyRound, Plus } from "lucide-preact";
import type { ApiKey } from "../../protocol/programs.ts";
import { mediumTime, shortAge } from "../format/time.ts";
import { useWorkspace } from "../shell/context.ts";
import { Badge } from "../ui/Badge.tsx";
import { Button } from "../ui/Button.tsx";
import { Dialog } from "../ui/Dialog.tsx";
import { EmptyState } from "../ui/EmptyState.tsx";
import { Notice } from "../ui/Notice.tsx";
import { Time } from "../ui/Time.tsx";
import { AddApiKey, type ScopeChoice } from "./AddApiKey.tsx";
import { RevokeApiKey } from "./RevokeApiKey.tsx";
import { SettingsFrame } from "./SettingsFrame.tsx";
import { isolate } from "../../protocol/visible_text.ts";

/** Valid keys first, each group newest first. */
function sorted(keys: ApiKey[]): ApiKey[] {
  return keys.toSorted((a, b) => Number(a.revokedAt !== null) - Number(b.revokedAt !== null));
}

export function ApiKeysSettings({ keys: first, scopes }: {
  keys: ApiKey[];
  scopes: ScopeChoice[];
}) {
  const { user, toasts } = useWorkspace();
  const [keys, setKeys] = useState(() => sorted(first));
  const [adding, setAdding] = useState(false);
  const [revoking, setRevoking] = useState<ApiKey | null>(null);
  const admin = user.role === "admin";
  const add = (
    <Button
      kind="primary"
      icon={<Plus size={16} aria-hidden="true" />}
      onClick={() => setAdding(true)}
    >
      Create a key
    </Button>
  );
  return (
    <SettingsFrame
      path="/settings/api-keys"
      title="API keys"
      lead="For programs that read, write or send events through the API."
      action={admin && keys.length > 0 && add}
    >
      {admin
        ? (
          <p class="docs-link">
            What a program can do with a key is described in the{" "}
            <a href="/api/docs">API documentation</a>.
          </p>
        )
        : <Notice tone="plain">Only admins can see and make API keys.</Notice>}
      {admin && keys.length === 0 && (
        <EmptyState icon={<KeyRound size={24} />} title="No API keys yet" action={add}>
          With a key, your order system can message a customer, or a monitor can check who is
          connected.
        </EmptyState>
      )}
      {keys.length > 0 && (
        <ul class="cards api-keys" aria-label="API keys">
          {keys.map((key) => <KeyCard key={key.id} apiKey={key} onRevoke={setRevoking} />)}
        </ul>
      )}
      <Dialog open={adding} title="Create an API key" onClose={() => setAdding(false)} focusInside>
        <AddApiKey
          scopes={scopes}
          onAdded={(key) => setKeys((known) => sorted([key, ...known]))}
          onClose={() => setAdding(false)}
        />
      </Dialog>
      <Dialog
        open={revoking !== null}
        title={`Revoke ${isolate(revoking?.name ?? "")}?`}
        onClose={() => setRevoking(null)}
      >
        {revoking && (
          <RevokeApiKey
            apiKey={revoking}
            onClose={() => setRevoking(null)}
            onDone={(key) => {
              setRevoking(null);
              setKeys((known) => sorted(known.map((one) => one.id === key.id ? key : one)));
              toasts.show({ tone: "good", text: `The key of ${isolate(key.name)} is revoked.` });
            }}
          />
        )}
      </Dialog>
    </SettingsFrame>
  );
}

function KeyCard({ apiKey, onRevoke }: { apiKey: ApiKey; onRevoke: (key: ApiKey) => void }) {
  const { clock } = useWorkspace();
  const { name, prefix, scopes, lastUsedAt, expiresAt, revokedAt } = apiKey;
  const now = clock.value;
  const expired = expiresAt !== null && Date.parse(expiresAt) <= now.now;
  const works = revokedAt === null && !expired;
  return (
    <li data-muted={works ? undefined : ""}>
      <div class="card">
        <KeyRound size={16} aria-hidden="true" />
        <span class="card-words">
          <strong dir="auto">{name}</strong>
          <span class="key-scopes">
            <code>{prefix}…</code> {scopes.join(", ")}
          </span>
          <span>
            {lastUsedAt === null ? "Never used" : (
              <>
                Last used <Time iso={lastUsedAt} clock={now} as={shortAge} />
              </>
            )}
            {revokedAt === null && expiresAt !== null && (
              <>
                {expired ? ", ended " : ", ends "}
                <Time iso={expiresAt} clock={now} as={mediumTime} />
              </>
            )}
          </span>
        </span>
        {revokedAt !== null && <Badge tone="warn">Revoked</Badge>}
        {revokedAt === null && expired && <Badge tone="warn">Ended</Badge>}
        {revokedAt === null && (
          <Button
            size="s"
            aria-label={`Revoke ${name}`}
            onClick={() => onRevoke(apiKey)}
          >
            Revoke…
          </Button>
        )}
      </div>
    </li>
  );
}
