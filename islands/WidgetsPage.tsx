import { useMemo } from "preact/hooks";
import type { WidgetConfig } from "../protocol/model.ts";
import { type Packed, unpack } from "../components/document/packed.ts";
import type { PageStart } from "../components/live/page_model.ts";
import { PageShell } from "../components/shell/PageShell.tsx";
import { WidgetList } from "../components/widgets/WidgetList.tsx";

export interface WidgetsStart {
  page: PageStart;
  widgets: WidgetConfig[];
}

export default function WidgetsPage({ start }: { start: Packed<WidgetsStart> }) {
  const { page, widgets } = useMemo(() => unpack(start), []);
  return (
    <PageShell start={page} section="widgets">
      <WidgetList widgets={widgets} />
    </PageShell>
  );
}
