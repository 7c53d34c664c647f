import { useMemo } from "preact/hooks";
import type { QueueSettings as Settings } from "../protocol/queue.ts";
import type { Team } from "../protocol/teams.ts";
import { type Packed, unpack } from "../components/document/packed.ts";
import type { PageStart } from "../components/live/page_model.ts";
import { QueueSettings } from "../components/settings/QueueSettings.tsx";
import { SettingsFrame } from "../components/settings/SettingsFrame.tsx";
import { PageShell } from "../components/shell/PageShell.tsx";
import { PageHost } from "../components/shell/PageHost.tsx";

export interface QueueStart {
  page: PageStart;
  settings: Settings;
  teams: Team[];
}

function Content({ start }: { start: Packed<QueueStart> }) {
  const { page, settings, teams } = useMemo(() => unpack(start), []);
  return (
    <PageShell start={page} section="settings">
      <SettingsFrame
        path="/settings/queue"
        title="Assignment"
        lead="Who takes care of a conversation."
      >
        <QueueSettings settings={settings} teams={teams} />
      </SettingsFrame>
    </PageShell>
  );
}

export default function QueuePage({ start }: Parameters<typeof Content>[0]) {
  return <PageHost Page={Content} start={start} />;
}
QueuePage.Page = Content;
