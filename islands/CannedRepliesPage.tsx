import { useMemo } from "preact/hooks";
import { type Packed, unpack } from "../components/document/packed.ts";
import type { PageStart } from "../components/live/page_model.ts";
import {
  type CannedRepliesProps,
  CannedRepliesSettings,
} from "../components/settings/CannedRepliesSettings.tsx";
import { PageHost } from "../components/shell/PageHost.tsx";
import { PageShell } from "../components/shell/PageShell.tsx";

export interface CannedRepliesStart extends CannedRepliesProps {
  page: PageStart;
}

function Content({ start }: { start: Packed<CannedRepliesStart> }) {
  const { page, ...rest } = useMemo(() => unpack(start), []);
  return (
    <PageShell start={page} section="settings">
      <CannedRepliesSettings {...rest} />
    </PageShell>
  );
}

export default function CannedRepliesPage({ start }: Parameters<typeof Content>[0]) {
  return <PageHost Page={Content} start={start} />;
}
CannedRepliesPage.Page = Content;
