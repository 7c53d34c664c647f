import { useMemo } from "preact/hooks";
import { type Packed, unpack } from "../components/document/packed.ts";
import type { PageStart } from "../components/live/page_model.ts";
import { NotificationSettings } from "../components/settings/NotificationSettings.tsx";
import { SettingsFrame } from "../components/settings/SettingsFrame.tsx";
import { PageShell } from "../components/shell/PageShell.tsx";
import { PageHost } from "../components/shell/PageHost.tsx";

function Content({ start }: { start: Packed<PageStart> }) {
  const page = useMemo(() => unpack(start), []);
  return (
    <PageShell start={page} section="settings">
      <SettingsFrame path="/settings/notifications" title="Notifications">
        <NotificationSettings />
      </SettingsFrame>
    </PageShell>
  );
}

export default function NotificationsPage({ start }: Parameters<typeof Content>[0]) {
  return <PageHost Page={Content} start={start} />;
}
NotificationsPage.Page = Content;
