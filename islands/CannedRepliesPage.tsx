import { useMemo } from "preact/hooks";
import { type Packed, unpack } from "../components/document/packed.ts";
import type { PageStart } from "../components/live/page_model.ts";
import {
  type CannedRepliesProps,
  CannedRepliesSettings,
} from "../components/settings/CannedRepliesSettings.tsx";
import { PageShell } from "../components/shell/PageShell.tsx";

export interface CannedRepliesStart extends CannedRepliesProps {
  page: PageStart;
}

export default function CannedRepliesPage({ start }: { start: Packed<CannedRepliesStart> }) {
  const { page, ...rest } = useMemo(() => unpack(start), []);
  return (
    <PageShell start={page} section="settings">
      <CannedRepliesSettings {...rest} />
    </PageShell>
  );
}
