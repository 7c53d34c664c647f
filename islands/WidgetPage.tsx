import "../components/styles/pages/widgets.css";
import { useMemo } from "preact/hooks";
import { SearchX } from "lucide-preact";
import type { WidgetConfig } from "../protocol/model.ts";
import { type Packed, unpack } from "../components/document/packed.ts";
import type { PageStart } from "../components/live/page_model.ts";
import { PageHead, PageShell } from "../components/shell/PageShell.tsx";
import { EmptyState } from "../components/ui/EmptyState.tsx";
import { WidgetEditor } from "../components/widgets/WidgetEditor.tsx";
import { PageHost } from "../components/shell/PageHost.tsx";

export interface WidgetStart {
  page: PageStart;
  /** Null where no widget has this id. */
  widget: WidgetConfig | null;
  /** The address of this server, e.g. "https://chat.example.com". */
  origin: string;
  onDemo: boolean;
}

function Content({ start }: { start: Packed<WidgetStart> }) {
  const { page, widget, origin, onDemo } = useMemo(() => unpack(start), []);
  return (
    <PageShell start={page} section="widgets">
      {widget === null
        ? (
          <div class="page-width">
            <PageHead back={{ href: "/widgets", label: "Widgets" }} title="Widget not found" />
            <EmptyState
              icon={<SearchX size={20} />}
              title="There is no widget with this address"
              action={<a class="button" data-kind="plain" href="/widgets">Show all widgets</a>}
            >
              It may have been deleted.
            </EmptyState>
          </div>
        )
        : <WidgetEditor widget={widget} origin={origin} onDemo={onDemo} />}
    </PageShell>
  );
}

export default function WidgetPage({ start }: Parameters<typeof Content>[0]) {
  return <PageHost Page={Content} start={start} />;
}
WidgetPage.Page = Content;
