import "../components/styles/pages/audit.css";
import { useMemo } from "preact/hooks";
import type { AuditList } from "../protocol/audit.ts";
import { type Packed, unpack } from "../components/document/packed.ts";
import type { PageStart } from "../components/live/page_model.ts";
import { type AuditActor, AuditSettings } from "../components/settings/AuditSettings.tsx";
import { PageShell } from "../components/shell/PageShell.tsx";
import { PageHost } from "../components/shell/PageHost.tsx";

export interface AuditStart {
  page: PageStart;
  first: AuditList;
  actors: AuditActor[];
}

function Content({ start }: { start: Packed<AuditStart> }) {
  const { page, first, actors } = useMemo(() => unpack(start), []);
  return (
    <PageShell start={page} section="settings">
      <AuditSettings first={first} actors={actors} />
    </PageShell>
  );
}

export default function AuditPage({ start }: Parameters<typeof Content>[0]) {
  return <PageHost Page={Content} start={start} />;
}
AuditPage.Page = Content;
