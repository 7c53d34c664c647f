import { useMemo } from "preact/hooks";
import type { Label } from "../protocol/model.ts";
import { type Packed, unpack } from "../components/document/packed.ts";
import type { PageStart } from "../components/live/page_model.ts";
import { LabelsSettings } from "../components/settings/LabelsSettings.tsx";
import { PageShell } from "../components/shell/PageShell.tsx";
import { PageHost } from "../components/shell/PageHost.tsx";

export interface LabelsStart {
  page: PageStart;
  labels: Label[];
}

function Content({ start }: { start: Packed<LabelsStart> }) {
  const { page, labels } = useMemo(() => unpack(start), []);
  return (
    <PageShell start={page} section="settings">
      <LabelsSettings labels={labels} />
    </PageShell>
  );
}

export default function LabelsPage({ start }: Parameters<typeof Content>[0]) {
  return <PageHost Page={Content} start={start} />;
}
LabelsPage.Page = Content;
