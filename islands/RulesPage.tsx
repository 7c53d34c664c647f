import { useMemo } from "preact/hooks";
import type { ContextRule } from "../protocol/model.ts";
import { type Packed, unpack } from "../components/document/packed.ts";
import type { PageStart } from "../components/live/page_model.ts";
import { RuleList } from "../components/rules/RuleList.tsx";
import { PageShell } from "../components/shell/PageShell.tsx";

export interface RulesStart {
  page: PageStart;
  rules: ContextRule[];
}

export default function RulesPage({ start }: { start: Packed<RulesStart> }) {
  const { page, rules } = useMemo(() => unpack(start), []);
  return (
    <PageShell start={page} section="rules">
      <RuleList rules={rules} />
    </PageShell>
  );
}
