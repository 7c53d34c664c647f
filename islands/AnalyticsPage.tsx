import "../components/styles/pages/analytics.css";
import { useMemo } from "preact/hooks";
import { AnalyticsBoard } from "../components/analytics/AnalyticsBoard.tsx";
import type { BoardKind } from "../components/analytics/view.ts";
import { type Packed, unpack } from "../components/document/packed.ts";
import type { PageStart } from "../components/live/page_model.ts";
import { PageShell } from "../components/shell/PageShell.tsx";
import { PageHost } from "../components/shell/PageHost.tsx";

export interface AnalyticsStart {
  page: PageStart;
  kind: BoardKind;
}

function Content({ start }: { start: Packed<AnalyticsStart> }) {
  const { page, kind } = useMemo(() => unpack(start), []);
  return (
    <PageShell start={page} section="analytics">
      <AnalyticsBoard kind={kind} />
    </PageShell>
  );
}

export default function AnalyticsPage({ start }: Parameters<typeof Content>[0]) {
  return <PageHost Page={Content} start={start} />;
}
AnalyticsPage.Page = Content;
