import "../components/styles/pages/websocket.css";
import { useMemo } from "preact/hooks";
import type { Limit } from "../domain/dashboard.ts";
import type { Conversation } from "../protocol/model.ts";
import { type Packed, unpack } from "../components/document/packed.ts";
import type { PageStart } from "../components/live/page_model.ts";
import { WebSocketSettings } from "../components/settings/WebSocketSettings.tsx";
import { PageShell } from "../components/shell/PageShell.tsx";
import { PageHost } from "../components/shell/PageHost.tsx";

export interface WebSocketStart {
  page: PageStart;
  /** The conversations with the newest activity. */
  latest: Conversation[];
  limits: Limit[];
}

function Content({ start }: { start: Packed<WebSocketStart> }) {
  const { page, latest, limits } = useMemo(() => unpack(start), []);
  return (
    <PageShell start={page} section="settings">
      <WebSocketSettings latest={latest} limits={limits} />
    </PageShell>
  );
}

export default function WebSocketPage({ start }: Parameters<typeof Content>[0]) {
  return <PageHost Page={Content} start={start} />;
}
WebSocketPage.Page = Content;
