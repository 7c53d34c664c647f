import { useMemo } from "preact/hooks";
import type { QueueSettings as Settings } from "../protocol/queue.ts";
import { type Packed, unpack } from "../components/document/packed.ts";
import type { PageStart } from "../components/live/page_model.ts";
import { QueueSettings } from "../components/settings/QueueSettings.tsx";
import { SettingsFrame } from "../components/settings/SettingsFrame.tsx";
import { PageShell } from "../components/shell/PageShell.tsx";

export interface QueueStart {
  page: PageStart;
  settings: Settings;
}

export default function QueuePage({ start }: { start: Packed<QueueStart> }) {
  const { page, settings } = useMemo(() => unpack(start), []);
  return (
    <PageShell start={page} section="settings">
      <SettingsFrame
        path="/settings/queue"
        title="Assignment"
        lead="Who takes care of a conversation."
      >
        <QueueSettings settings={settings} />
      </SettingsFrame>
    </PageShell>
  );
}
