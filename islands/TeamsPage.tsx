import { useMemo } from "preact/hooks";
import type { User } from "../protocol/model.ts";
import type { Team } from "../protocol/teams.ts";
import { type Packed, unpack } from "../components/document/packed.ts";
import type { PageStart } from "../components/live/page_model.ts";
import { TeamsSettings } from "../components/settings/TeamsSettings.tsx";
import { PageShell } from "../components/shell/PageShell.tsx";
import { PageHost } from "../components/shell/PageHost.tsx";

export interface TeamsStart {
  page: PageStart;
  teams: Team[];
  people: User[];
}

function Content({ start }: { start: Packed<TeamsStart> }) {
  const { page, teams, people } = useMemo(() => unpack(start), []);
  return (
    <PageShell start={page} section="settings">
      <TeamsSettings teams={teams} people={people} />
    </PageShell>
  );
}

export default function TeamsPage({ start }: Parameters<typeof Content>[0]) {
  return <PageHost Page={Content} start={start} />;
}
TeamsPage.Page = Content;
