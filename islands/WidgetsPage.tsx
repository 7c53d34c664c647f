import "../components/styles/pages/widgets.css";
import { useMemo } from "preact/hooks";
import type { WidgetConfig } from "../protocol/model.ts";
import { type Packed, unpack } from "../components/document/packed.ts";
import type { PageStart } from "../components/live/page_model.ts";
import { PageShell } from "../components/shell/PageShell.tsx";
import { WidgetList } from "../components/widgets/WidgetList.tsx";
import { PageHost } from "../components/shell/PageHost.tsx";

export interface WidgetsStart {
  page: PageStart;
  widgets: WidgetConfig[];
}

function Content({ start }: { start: Packed<WidgetsStart> }) {
  const { page, widgets } = useMemo(() => unpack(start), []);
  return (
    <PageShell start={page} section="widgets">
      <WidgetList widgets={widgets} />
    </PageShell>
  );
}

export default function WidgetsPage({ start }: Parameters<typeof Content>[0]) {
  return <PageHost Page={Content} start={start} />;
}
WidgetsPage.Page = Content;
