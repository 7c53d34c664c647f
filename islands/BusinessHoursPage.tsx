import { useMemo } from "preact/hooks";
import type { BusinessHours } from "../protocol/analytics.ts";
import { type Packed, unpack } from "../components/document/packed.ts";
import type { PageStart } from "../components/live/page_model.ts";
import { BusinessHoursSettings } from "../components/settings/BusinessHoursSettings.tsx";
import { SettingsFrame } from "../components/settings/SettingsFrame.tsx";
import { PageShell } from "../components/shell/PageShell.tsx";
import { PageHost } from "../components/shell/PageHost.tsx";

export interface BusinessHoursStart {
  page: PageStart;
  hours: BusinessHours;
  /** Time zones to choose from. */
  zones: string[];
}

function Content({ start }: { start: Packed<BusinessHoursStart> }) {
  const { page, hours, zones } = useMemo(() => unpack(start), []);
  return (
    <PageShell start={page} section="settings">
      <SettingsFrame
        path="/settings/business-hours"
        title="Business hours"
        lead="When somebody is there to answer."
      >
        <BusinessHoursSettings hours={hours} zones={zones} />
      </SettingsFrame>
    </PageShell>
  );
}

export default function BusinessHoursPage({ start }: Parameters<typeof Content>[0]) {
  return <PageHost Page={Content} start={start} />;
}
BusinessHoursPage.Page = Content;
