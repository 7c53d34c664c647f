import "../components/styles/pages/api_keys.css";
import { useMemo } from "preact/hooks";
import type { ApiKey } from "../protocol/programs.ts";
import { type Packed, unpack } from "../components/document/packed.ts";
import type { PageStart } from "../components/live/page_model.ts";
import type { ScopeChoice } from "../components/settings/AddApiKey.tsx";
import { ApiKeysSettings } from "../components/settings/ApiKeysSettings.tsx";
import { PageShell } from "../components/shell/PageShell.tsx";
import { PageHost } from "../components/shell/PageHost.tsx";

export interface ApiKeysStart {
  page: PageStart;
  keys: ApiKey[];
  scopes: ScopeChoice[];
}

function Content({ start }: { start: Packed<ApiKeysStart> }) {
  const { page, keys, scopes } = useMemo(() => unpack(start), []);
  return (
    <PageShell start={page} section="settings">
      <ApiKeysSettings keys={keys} scopes={scopes} />
    </PageShell>
  );
}

export default function ApiKeysPage({ start }: Parameters<typeof Content>[0]) {
  return <PageHost Page={Content} start={start} />;
}
ApiKeysPage.Page = Content;
