import "../components/styles/pages/websocket.css";
import { useMemo } from "preact/hooks";
import type { Clock } from "../components/format/time.ts";
import { type Packed, unpack } from "../components/document/packed.ts";
import type { PageStart } from "../components/live/page_model.ts";
import { BarePage } from "../components/playground/BarePage.tsx";
import { Playground } from "../components/playground/Playground.tsx";
import { createPlayground } from "../components/playground/playground_model.ts";
import { useWorkspace } from "../components/shell/context.ts";
import { PageShell } from "../components/shell/PageShell.tsx";
import { PageHost } from "../components/shell/PageHost.tsx";

export interface WebSocketTestStart {
  /** Null where nobody is signed in. */
  page: PageStart | null;
  clock: Clock;
  /** The key of the widget that the customer uses; null where none is enabled. */
  widgetKey: string | null;
}

function Content({ start }: { start: Packed<WebSocketTestStart> }) {
  const { page, clock, widgetKey } = useMemo(() => unpack(start), []);
  if (page === null) {
    return (
      <BarePage>
        <OpenPlayground widgetKey={widgetKey} clock={clock} />
      </BarePage>
    );
  }
  return (
    <PageShell start={page} section="settings">
      <AgentsPlayground widgetKey={widgetKey} />
    </PageShell>
  );
}

function AgentsPlayground({ widgetKey }: { widgetKey: string | null }) {
  const workspace = useWorkspace();
  const model = useMemo(() => createPlayground({ widgetKey }, () => workspace), []);
  return (
    <Playground
      model={model}
      clock={workspace.clock.value}
      hasWidget={widgetKey !== null}
      signedIn
    />
  );
}

function OpenPlayground({ widgetKey, clock }: { widgetKey: string | null; clock: Clock }) {
  const model = useMemo(() => createPlayground({ widgetKey }, () => null), []);
  return <Playground model={model} clock={clock} hasWidget={widgetKey !== null} signedIn={false} />;
}

export default function WebSocketTestPage({ start }: Parameters<typeof Content>[0]) {
  return <PageHost Page={Content} start={start} />;
}
WebSocketTestPage.Page = Content;
