import { useMemo } from "preact/hooks";
import type { Label } from "../protocol/model.ts";
import { type Packed, unpack } from "../components/document/packed.ts";
import type { PageStart } from "../components/live/page_model.ts";
import { LabelsSettings } from "../components/settings/LabelsSettings.tsx";
import { PageShell } from "../components/shell/PageShell.tsx";

export interface LabelsStart {
  page: PageStart;
  labels: Label[];
}

export default function LabelsPage({ start }: { start: Packed<LabelsStart> }) {
  const { page, labels } = useMemo(() => unpack(start), []);
  return (
    <PageShell start={page} section="settings">
      <LabelsSettings labels={labels} />
    </PageShell>
  );
}
