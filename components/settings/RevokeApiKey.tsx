import type { ApiKey } from "../../protocol/programs.ts";
import { useWorkspace } from "../shell/context.ts";
import { DangerForm } from "../ui/DangerForm.tsx";

/** Asks before a key is revoked. */
export function RevokeApiKey({ apiKey, onClose, onDone }: {
  apiKey: ApiKey;
  onClose: () => void;
  onDone: (key: ApiKey) => void;
}) {
  const { request } = useWorkspace();
  const run = async () => {
    const path = `/api/api-keys/${apiKey.id}`;
    await request(path, { method: "DELETE" });
    onDone(await request<ApiKey>(path));
  };
  return (
    <DangerForm action="Revoke" run={run} onCancel={onClose}>
      <p>
        Whatever uses the key <code>{apiKey.prefix}…</code>{" "}
        is refused from its next request. A revoked key cannot be restored.
      </p>
    </DangerForm>
  );
}
