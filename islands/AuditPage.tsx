import { useMemo } from "preact/hooks";
import type { AuditList } from "../protocol/audit.ts";
import { type Packed, unpack } from "../components/document/packed.ts";
import type { PageStart } from "../components/live/page_model.ts";
import { type AuditActor, AuditSettings } from "../components/settings/AuditSettings.tsx";
import { PageShell } from "../components/shell/PageShell.tsx";

export interface AuditStart {
  page: PageStart;
  first: AuditList;
  actors: AuditActor[];
}

export default function AuditPage({ start }: { start: Packed<AuditStart> }) {
  const { page, first, actors } = useMemo(() => unpack(start), []);
  return (
    <PageShell start={page} section="settings">
      <AuditSettings first={first} actors={actors} />
    </PageShell>
  );
}
