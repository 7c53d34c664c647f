import "../components/styles/pages/rules.css";
import { useMemo } from "preact/hooks";
import type { ContextRule } from "../protocol/model.ts";
import { type Packed, unpack } from "../components/document/packed.ts";
import type { PageStart } from "../components/live/page_model.ts";
import { RuleList } from "../components/rules/RuleList.tsx";
import { PageShell } from "../components/shell/PageShell.tsx";
import { PageHost } from "../components/shell/PageHost.tsx";

export interface RulesStart {
  page: PageStart;
  rules: ContextRule[];
}

function Content({ start }: { start: Packed<RulesStart> }) {
  const { page, rules } = useMemo(() => unpack(start), []);
  return (
    <PageShell start={page} section="rules">
      <RuleList rules={rules} />
    </PageShell>
  );
}

export default function RulesPage({ start }: Parameters<typeof Content>[0]) {
  return <PageHost Page={Content} start={start} />;
}
RulesPage.Page = Content;
