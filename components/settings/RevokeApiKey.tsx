import { useState } from "preact/hooks";
import type { ApiKey } from "../../protocol/programs.ts";
import { errorText } from "../live/api.ts";
import { useWorkspace } from "../shell/context.ts";
import { Button } from "../ui/Button.tsx";
import { Notice } from "../ui/Notice.tsx";

/** Asks before a key ends for good. */
export function RevokeApiKey({ apiKey, onClose, onDone }: {
  apiKey: ApiKey;
  onClose: () => void;
  onDone: (key: ApiKey) => void;
}) {
  const { request } = useWorkspace();
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<string | null>(null);
  const run = async (event: Event) => {
    event.preventDefault();
    if (busy) return;
    setBusy(true);
    setError(null);
    try {
      const path = `/api/api-keys/${apiKey.id}`;
      await request(path, { method: "DELETE" });
      onDone(await request<ApiKey>(path));
    } catch (cause) {
      setError(errorText(cause));
      setBusy(false);
    }
  };
  return (
    <form class="dialog-form" noValidate onSubmit={run}>
      <p>
        Whatever uses the key <code>{apiKey.prefix}…</code>{" "}
        is refused from its next request on. A revoked key cannot be brought back.
      </p>
      <div aria-live="assertive">{error && <Notice>{error}</Notice>}</div>
      <div class="dialog-actions">
        <Button kind="quiet" onClick={onClose}>Cancel</Button>
        <Button type="submit" kind="danger" busy={busy}>Revoke</Button>
      </div>
    </form>
  );
}
