import { useState } from "preact/hooks";
import type { CannedResponseSettings as Settings } from "../../protocol/canned_responses.ts";
import { useWorkspace } from "../shell/context.ts";
import { Choice } from "../ui/Choice.tsx";

/** Who may change the canned replies for everybody; for admins. */
export function ManagedBy({ settings, onDone }: {
  settings: Settings;
  onDone: (settings: Settings) => void;
}) {
  const { request, fail } = useWorkspace();
  const [busy, setBusy] = useState(false);
  async function change(managedBy: Settings["managedBy"]) {
    if (busy) return;
    setBusy(true);
    try {
      const path = "/api/canned-response-settings";
      onDone(await request<Settings>(path, { method: "PATCH", body: { managedBy } }));
    } catch (cause) {
      fail(cause);
    } finally {
      setBusy(false);
    }
  }
  return (
    <section class="canned-section">
      <Choice
        label="Who may add and change replies for everybody"
        name="managed-by"
        value={settings.managedBy}
        options={[{ value: "agents", label: "All agents" }, { value: "admins", label: "Admins" }]}
        onChange={change}
      />
    </section>
  );
}
